/* RGBA to the pixel formats of the encoders, to the very bytes that swscale makes of it.
 *
 * The formulas, and what is known of swscale's rounding, stand in ../yuv420.py, which the tests compare this
 * with. They come from the definition of BT.601 and from looking at what swscale answers, not from its source.
 *
 * Every row of the picture is read once: it gives a row of luma, and a row of chroma that is averaged over pairs of
 * neighbours. Four such rows of chroma, kept in a ring, give one row of the picture's chroma. */

#include "native.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(BASELINE)
#define WITH_AVX2 1
#include <immintrin.h>
#endif

/* Luma is (8414 r + 16519 g + 3208 b) / 2^15, 16 above zero and rounded; chroma is taken of sums of two, in 64ths. */
enum { Y_R = 8414, Y_G = 16519, Y_B = 3208, Y_OFFSET = (16 << 15) + (1 << 14) + (1 << 8), Y_SHIFT = 15 };
enum { U_R = -4865, U_G = -9528, U_B = 14392, V_R = 14392, V_G = -12061, V_B = -2332 };
enum { C_OFFSET = (128 << 16) + (1 << 9), C_SHIFT = 10 };

typedef void row_function(const uint8_t *, uint8_t *, uint16_t *, uint16_t *, Py_ssize_t);

MULTIVERSIONED
static void row_portable(const uint8_t *restrict rgba, uint8_t *restrict luma, uint16_t *restrict u,
                         uint16_t *restrict v, Py_ssize_t width)
{
    for (Py_ssize_t x = 0; x < width; x++) {
        const uint8_t *pixel = rgba + 4 * x;
        luma[x] = (uint8_t)((Y_R * pixel[0] + Y_G * pixel[1] + Y_B * pixel[2] + Y_OFFSET) >> Y_SHIFT);
    }
    for (Py_ssize_t x = 0; x < width / 2; x++) {
        const uint8_t *pixel = rgba + 8 * x;
        int r = pixel[0] + pixel[4], g = pixel[1] + pixel[5], b = pixel[2] + pixel[6];
        u[x] = (uint16_t)((U_R * r + U_G * g + U_B * b + C_OFFSET) >> C_SHIFT);
        v[x] = (uint16_t)((V_R * r + V_G * g + V_B * b + C_OFFSET) >> C_SHIFT);
    }
}

#ifdef WITH_AVX2
#define TARGET_AVX2 __attribute__((target("avx2")))
#define PAIR(first, second) _mm256_set1_epi32((int)((uint32_t)(uint16_t)(first) | (uint32_t)(uint16_t)(second) << 16))

/* Sum of products over the three colours: `rb` holds red and blue in 16 bits each, `ga` green and alpha. */
TARGET_AVX2
static inline __m256i weighted(__m256i rb, __m256i ga, __m256i by_rb, __m256i by_ga, __m256i offset)
{
    return _mm256_add_epi32(_mm256_add_epi32(_mm256_madd_epi16(rb, by_rb), _mm256_madd_epi16(ga, by_ga)), offset);
}

/* Sums of neighbours: those of eight pixels in `a` and eight in `b`, in the order 0 1 4 5 2 3 6 7. */
TARGET_AVX2
static inline __m256i neighbours(__m256i a, __m256i b)
{
    __m256 x = _mm256_castsi256_ps(a), y = _mm256_castsi256_ps(b);
    return _mm256_add_epi16(_mm256_castps_si256(_mm256_shuffle_ps(x, y, 0x88)),
                            _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0xdd)));
}

TARGET_AVX2
static inline void block_avx2(const uint8_t *rgba, uint8_t *luma, uint16_t *u, uint16_t *v)
{
    const __m256i low = _mm256_set1_epi16(255), order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i rb[4], ga[4], y[4], sums_rb[2], sums_ga[2], wide[2];
    for (int i = 0; i < 4; i++) {
        __m256i pixels = _mm256_loadu_si256((const __m256i *)rgba + i);
        rb[i] = _mm256_and_si256(pixels, low);
        ga[i] = _mm256_srli_epi16(pixels, 8);
        y[i] = weighted(rb[i], ga[i], PAIR(Y_R, Y_B), PAIR(Y_G, 0), _mm256_set1_epi32(Y_OFFSET));
        y[i] = _mm256_srli_epi32(y[i], Y_SHIFT);
    }
    __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(y[0], y[1]), _mm256_packs_epi32(y[2], y[3]));
    _mm256_storeu_si256((__m256i *)luma, _mm256_permutevar8x32_epi32(bytes, order));
    for (int i = 0; i < 2; i++) {
        sums_rb[i] = neighbours(rb[2 * i], rb[2 * i + 1]);
        sums_ga[i] = neighbours(ga[2 * i], ga[2 * i + 1]);
    }
    const __m256i offset = _mm256_set1_epi32(C_OFFSET);
    for (int i = 0; i < 2; i++)
        wide[i] = _mm256_srli_epi32(weighted(sums_rb[i], sums_ga[i], PAIR(U_R, U_B), PAIR(U_G, 0), offset), C_SHIFT);
    __m256i words = _mm256_packs_epi32(wide[0], wide[1]);
    _mm256_storeu_si256((__m256i *)u, _mm256_permutevar8x32_epi32(words, order));
    for (int i = 0; i < 2; i++)
        wide[i] = _mm256_srli_epi32(weighted(sums_rb[i], sums_ga[i], PAIR(V_R, V_B), PAIR(V_G, 0), offset), C_SHIFT);
    words = _mm256_packs_epi32(wide[0], wide[1]);
    _mm256_storeu_si256((__m256i *)v, _mm256_permutevar8x32_epi32(words, order));
}

TARGET_AVX2
static void row_avx2(const uint8_t *rgba, uint8_t *luma, uint16_t *u, uint16_t *v, Py_ssize_t width)
{
    if (width < 32) {
        row_portable(rgba, luma, u, v, width);
        return;
    }
    for (Py_ssize_t x = 0; x < width; x += 32) {
        if (x > width - 32)
            x = width - 32; /* the last block overlaps the one before it */
        block_avx2(rgba + 4 * x, luma + x, u + x / 2, v + x / 2);
    }
}
#endif

static row_function *best_row(void)
{
#ifdef WITH_AVX2
    if (__builtin_cpu_supports("avx2"))
        return row_avx2;
#endif
    return row_portable;
}

/* A row of chroma from four, weighted 1 3 3 1. Vector code of swscale cuts off each product before it adds. */
MULTIVERSIONED
static void blend_truncated(const uint16_t *restrict a, const uint16_t *restrict b, const uint16_t *restrict c,
                            const uint16_t *restrict d, uint8_t *restrict out, Py_ssize_t width)
{
    for (Py_ssize_t x = 0; x < width; x++) {
        uint16_t b3 = (uint16_t)(3 * b[x]), c3 = (uint16_t)(3 * c[x]);
        uint16_t sum = (uint16_t)((a[x] >> 6) + (b3 >> 6) + (c3 >> 6) + (d[x] >> 6) + 5);
        out[x] = (uint8_t)(sum >> 3);
    }
}

/* The same above the first row, where there is none: weighted 4 3 1. */
MULTIVERSIONED
static void blend_first_truncated(const uint16_t *restrict a, const uint16_t *restrict b, const uint16_t *restrict c,
                                  uint8_t *restrict out, Py_ssize_t width)
{
    for (Py_ssize_t x = 0; x < width; x++) {
        uint16_t b3 = (uint16_t)(3 * b[x]);
        uint16_t sum = (uint16_t)((a[x] >> 4) + (b3 >> 6) + (c[x] >> 6) + 5);
        out[x] = (uint8_t)(sum >> 3);
    }
}

/* Rounded once, at the end: weighted 1 3 3 1; at the borders two of the four are the same row. */
MULTIVERSIONED
static void blend_exact(const uint16_t *a, const uint16_t *b, const uint16_t *c, const uint16_t *d,
                        uint8_t *restrict out, Py_ssize_t width)
{
    for (Py_ssize_t x = 0; x < width; x++)
        out[x] = (uint8_t)((a[x] + 3 * b[x] + 3 * c[x] + d[x] + 256) >> 9);
}

typedef struct {
    const uint8_t *rgba;
    uint8_t *y, *u, *v;
    Py_ssize_t width, height, luma_stride, chroma_stride;
    int exact;
} Picture;

/* Convert the rows of chroma from `first` to `last`, and all rows of luma that they depend on. */
static void convert_chroma_rows(const Picture *p, Py_ssize_t first, Py_ssize_t last, uint16_t *scratch)
{
    row_function *row = best_row();
    Py_ssize_t half = p->width / 2, next = first > 0 ? 2 * first - 1 : 0;
    for (Py_ssize_t k = first; k <= last; k++) {
        const uint16_t *u[4], *v[4];
        for (; next < p->height && next <= 2 * k + 2; next++) {
            uint16_t *slot = scratch + (next & 3) * p->width;
            row(p->rgba + 4 * p->width * next, p->y + p->luma_stride * next, slot, slot + half, p->width);
        }
        for (int i = 0; i < 4; i++) {
            Py_ssize_t line = 2 * k - 1 + i;
            line = line < 0 ? 0 : line >= p->height ? p->height - 1 : line;
            u[i] = scratch + (line & 3) * p->width;
            v[i] = u[i] + half;
        }
        uint8_t *to_u = p->u + p->chroma_stride * k, *to_v = p->v + p->chroma_stride * k;
        if (p->exact || k == p->height / 2 - 1) {
            blend_exact(u[0], u[1], u[2], u[3], to_u, half);
            blend_exact(v[0], v[1], v[2], v[3], to_v, half);
        } else if (k == 0) {
            blend_first_truncated(u[1], u[2], u[3], to_u, half);
            blend_first_truncated(v[1], v[2], v[3], to_v, half);
        } else {
            blend_truncated(u[0], u[1], u[2], u[3], to_u, half);
            blend_truncated(v[0], v[1], v[2], v[3], to_v, half);
        }
    }
}

/* Whether `rows` rows of `stride` bytes, of which the last needs only `width`, fit into the buffer. */
static int holds(const Py_buffer *buffer, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t width)
{
    return stride >= width && rows > 0 && stride <= buffer->len / rows;
}

static int sized(const Py_buffer *pixels, Py_ssize_t width, Py_ssize_t height, Py_ssize_t first, Py_ssize_t end)
{
    if (width <= 0 || height <= 0 || width > 65536 || height > 65536 || pixels->len != 4 * width * height)
        PyErr_SetString(PyExc_ValueError, "the pixels are not width times height times 4 bytes");
    else if (first < 0 || first >= end || end > height)
        PyErr_SetString(PyExc_ValueError, "the rows are not of the picture");
    else
        return 1;
    return 0;
}

PyObject *native_rgba_to_yuv420(PyObject *module, PyObject *args)
{
    Py_buffer pixels, y, u, v;
    Picture p;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "y*nnnnpw*nw*w*n:rgba_to_yuv420", &pixels, &p.width, &p.height, &first, &end, &p.exact,
                          &y, &p.luma_stride, &u, &v, &p.chroma_stride))
        return NULL;
    uint16_t *scratch = NULL;
    PyObject *result = NULL;
    if (!sized(&pixels, p.width, p.height, first, end))
        goto done;
    Py_ssize_t rows = p.height / 2, half = p.width / 2;
    if (p.width % 2 || p.height % 2 || p.height < 8 || !holds(&y, p.luma_stride, p.height, p.width) ||
        !holds(&u, p.chroma_stride, rows, half) || !holds(&v, p.chroma_stride, rows, half)) {
        PyErr_SetString(PyExc_ValueError, "the sides must be even, 8 rows the least, and the planes large enough");
        goto done;
    }
    scratch = PyMem_RawMalloc(4 * sizeof(uint16_t) * (size_t)p.width);
    if (!scratch) {
        PyErr_NoMemory();
        goto done;
    }
    p.rgba = pixels.buf, p.y = y.buf, p.u = u.buf, p.v = v.buf;
    /* Row j is in the chroma of row k if 2k - 1 <= j <= 2k + 2. */
    Py_ssize_t from = first > 2 ? (first - 1) / 2 : 0, to = end / 2 < rows ? end / 2 : rows - 1;
    Py_BEGIN_ALLOW_THREADS
    convert_chroma_rows(&p, from, to, scratch);
    Py_END_ALLOW_THREADS
    result = Py_NewRef(Py_None);
done:
    PyMem_RawFree(scratch);
    PyBuffer_Release(&pixels);
    PyBuffer_Release(&y);
    PyBuffer_Release(&u);
    PyBuffer_Release(&v);
    return result;
}

MULTIVERSIONED
static void alpha_row(const uint8_t *restrict rgba, uint8_t *restrict alpha, Py_ssize_t width)
{
    for (Py_ssize_t x = 0; x < width; x++) {
        int value = rgba[4 * x + 3];
        value += value >> 7;
        alpha[x] = (uint8_t)(value > 255 ? 255 : value);
    }
}

MULTIVERSIONED
static void argb_row(const uint8_t *restrict rgba, uint8_t *restrict argb, Py_ssize_t width)
{
    for (Py_ssize_t x = 0; x < 4 * width; x += 4) {
        argb[x] = rgba[x + 3];
        argb[x + 1] = rgba[x];
        argb[x + 2] = rgba[x + 1];
        argb[x + 3] = rgba[x + 2];
    }
}

/* What rgba_to_alpha and rgba_to_argb have in common: one row in, one row out. */
static PyObject *row_by_row(PyObject *args, const char *format, Py_ssize_t pixel_size,
                            void (*row)(const uint8_t *, uint8_t *, Py_ssize_t))
{
    Py_buffer pixels, out;
    Py_ssize_t width, height, first, end, stride;
    if (!PyArg_ParseTuple(args, format, &pixels, &width, &height, &first, &end, &out, &stride))
        return NULL;
    PyObject *result = NULL;
    if (sized(&pixels, width, height, first, end)) {
        if (holds(&out, stride, height, pixel_size * width)) {
            Py_BEGIN_ALLOW_THREADS
            for (Py_ssize_t line = first; line < end; line++)
                row((const uint8_t *)pixels.buf + 4 * width * line, (uint8_t *)out.buf + stride * line, width);
            Py_END_ALLOW_THREADS
            result = Py_NewRef(Py_None);
        } else {
            PyErr_SetString(PyExc_ValueError, "the plane is too small");
        }
    }
    PyBuffer_Release(&pixels);
    PyBuffer_Release(&out);
    return result;
}

PyObject *native_rgba_to_alpha(PyObject *module, PyObject *args)
{
    return row_by_row(args, "y*nnnnw*n:rgba_to_alpha", 1, alpha_row);
}

PyObject *native_rgba_to_argb(PyObject *module, PyObject *args)
{
    return row_by_row(args, "y*nnnnw*n:rgba_to_argb", 4, argb_row);
}

PyObject *native_changed_rows(PyObject *module, PyObject *args)
{
    Py_buffer before, after;
    Py_ssize_t rows;
    if (!PyArg_ParseTuple(args, "y*y*n:changed_rows", &before, &after, &rows))
        return NULL;
    PyObject *result = NULL;
    if (before.len != after.len || rows <= 0 || before.len % rows) {
        PyErr_SetString(PyExc_ValueError, "the pictures must be of one size, and made of that many rows");
    } else {
        const char *a = before.buf, *b = after.buf;
        size_t size = (size_t)(before.len / rows);
        Py_ssize_t first = 0, end = rows;
        Py_BEGIN_ALLOW_THREADS
        while (first < end && !memcmp(a + size * (size_t)first, b + size * (size_t)first, size))
            first++;
        while (end > first && !memcmp(a + size * (size_t)(end - 1), b + size * (size_t)(end - 1), size))
            end--;
        Py_END_ALLOW_THREADS
        result = first == end ? Py_BuildValue("nn", (Py_ssize_t)0, (Py_ssize_t)0) : Py_BuildValue("nn", first, end);
    }
    PyBuffer_Release(&before);
    PyBuffer_Release(&after);
    return result;
}
