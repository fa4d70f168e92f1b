/* A picture seen in perspective, as Pillow's Image.transform(PERSPECTIVE, BICUBIC) shows it, but only what is in sight.
 *
 * A pixel shows what lies below its centre: the cubic convolution (Keys, a = -1/2) of the sixteen pixels around that
 * point, where those beyond the edges are like the ones on the edge, and nothing where the point is off the picture.
 * What Pillow's order of operations and its rounding are was found by comparing; patches/images.py does so again before
 * this is used, as they may differ from one of its builds to another. */

#include "native.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BANDS = 4 };

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define SHIFTS {24, 16, 8, 0}
#else
#define SHIFTS {0, 8, 16, 24}
#endif

typedef struct {
    const uint8_t *pixels;
    int width, height;
} Source;

static inline int within(int value, int size)
{
    return value < 0 ? 0 : value < size ? value : size - 1;
}

/* All bands of a pixel at once; compilers make of it what the processor has. */
typedef uint32_t Words __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));
typedef double Doubles __attribute__((vector_size(32)));

static inline Ints bands(const uint8_t *pixel)
{
    uint32_t all;
    memcpy(&all, pixel, sizeof all);
    return (Ints)(((Words){all, all, all, all} >> (Words)SHIFTS) & 255);
}

#define REAL(ints) __builtin_convertvector(ints, Doubles)
#define CUBIC(p1, p2, p3, p4, at) ((p1) + (at) * ((p2) + (at) * ((p3) + (at) * (p4))))

/* Sample at (x, y), which lies on the source. */
static inline void sample(const Source *source, double x, double y, uint8_t *out)
{
    x -= 0.5;
    y -= 0.5;
    int left = (int)floor(x), top = (int)floor(y);
    double dx = x - left, dy = y - top;
    Doubles rows[4];
    int columns[4];
    for (int n = 0; n < 4; n++)
        columns[n] = BANDS * within(left - 1 + n, source->width);
    for (int n = 0; n < 4; n++) {
        const uint8_t *row = source->pixels + (size_t)BANDS * source->width * within(top - 1 + n, source->height);
        Ints a = bands(row + columns[0]), b = bands(row + columns[1]), c = bands(row + columns[2]);
        Ints d = bands(row + columns[3]);
        /* These are whole numbers, so it is the same in which order they are added. */
        rows[n] = CUBIC(REAL(b), REAL(c - a), REAL(2 * (a - b) + c - d), REAL(b - a + d - c), dx);
    }
    Doubles a = rows[0], b = rows[1], c = rows[2], d = rows[3];
    Ints value = __builtin_convertvector(CUBIC(b, c - a, 2 * (a - b) + c - d, b - a - c + d, dy), Ints);
    for (int band = 0; band < BANDS; band++)
        out[band] = (uint8_t)(value[band] < 0 ? 0 : value[band] > 255 ? 255 : value[band]);
}

MULTIVERSIONED
static void look(const Source *source, const double c[8], int left, int top, int width, int height, uint8_t *out)
{
    for (int row = 0; row < height; row++) {
        double y = top + row + 0.5;
        for (int column = 0; column < width; column++, out += BANDS) {
            double x = left + column + 0.5, depth = c[6] * x + c[7] * y + 1;
            double from_x = (c[0] * x + c[1] * y + c[2]) / depth, from_y = (c[3] * x + c[4] * y + c[5]) / depth;
            if (from_x >= 0 && from_x < source->width && from_y >= 0 && from_y < source->height)
                sample(source, from_x, from_y, out);
            else
                memset(out, 0, BANDS);
        }
    }
}

PyObject *native_perspective(PyObject *module, PyObject *args)
{
    Py_buffer pixels, out;
    Source source;
    double c[8];
    int left, top, width, height;
    if (!PyArg_ParseTuple(args, "y*ii(dddddddd)iiiiw*:perspective", &pixels, &source.width, &source.height, &c[0], &c[1],
                          &c[2], &c[3], &c[4], &c[5], &c[6], &c[7], &left, &top, &width, &height, &out))
        return NULL;
    PyObject *result = NULL;
    source.pixels = pixels.buf;
    if (source.width <= 0 || source.height <= 0 || pixels.len != (Py_ssize_t)BANDS * source.width * source.height ||
        width < 0 || height < 0 || out.len != (Py_ssize_t)BANDS * width * height) {
        PyErr_SetString(PyExc_ValueError, "pictures of other sizes than told");
    } else {
        Py_BEGIN_ALLOW_THREADS
        look(&source, c, left, top, width, height, out.buf);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&pixels);
    PyBuffer_Release(&out);
    return result;
}
