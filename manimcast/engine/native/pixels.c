/* Takes over what pixman does with linear gradients for cairo: the function `gradients`.
 *
 * Cairo decides everything: which pixels a shape covers and how much of each, and where exactly a gradient lies. Its
 * calls of pixman are led here. The functions that make a gradient are pixman's own, and what they are given is noted
 * for as long as the gradient lives; when it is laid over a picture, gradient.c does that if it can, else pixman. */

#include "native.h"

#include "cairo_api.h"
#include "calls.h"
#include "gradient.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef union pixman_image pixman_image_t;

/* As in pixman.h, whose ABI has been the same since 0.16. */
enum { OVER = 3, PAD = 2, A8 = 0x08018000, ARGB = 0x20028888 };

#define PIXMAN_FUNCTIONS(X) \
    X(pixman_image_t *, image_create_linear_gradient, \
      (const struct gradient_point *, const struct gradient_point *, const struct gradient_stop *, int)) \
    X(pixman_image_t *, image_create_bits, (int, int, int, uint32_t *, int)) \
    X(int, image_set_transform, (pixman_image_t *, const struct gradient_matrix *)) \
    X(void, image_set_repeat, (pixman_image_t *, int)) \
    X(int, image_set_clip_region32, (pixman_image_t *, void *)) \
    X(int, image_unref, (pixman_image_t *)) \
    X(uint32_t *, image_get_data, (pixman_image_t *)) \
    X(int, image_get_stride, (pixman_image_t *)) \
    X(int, image_get_format, (pixman_image_t *)) \
    X(int, image_get_width, (pixman_image_t *)) \
    X(int, image_get_height, (pixman_image_t *)) \
    X(void, image_composite32, (int, pixman_image_t *, pixman_image_t *, pixman_image_t *, int32_t, int32_t, int32_t, \
                                int32_t, int32_t, int32_t, int32_t, int32_t))

static struct {
#define PIXMAN_FIELD(result, name, arguments) result(*name) arguments;
    PIXMAN_FUNCTIONS(PIXMAN_FIELD)
#undef PIXMAN_FIELD
} pixman;

/* The gradient that was made last, by this thread: cairo makes one, uses it, and forgets it. */
static _Thread_local struct {
    pixman_image_t *image; /* or NULL */
    struct gradient_point from, to;
    struct gradient_stop stops[GRADIENT_STOPS];
    int count;
    struct gradient_matrix matrix;
    int repeat;
    int state; /* of `gradient`: 1 if it is set, -1 if it is none that we know, 0 if that has not been asked */
    struct gradient gradient;
    pixman_image_t *clipped; /* a picture with a clip */
} latest;

static const struct gradient_matrix identity = {{{1 << 16, 0, 0}, {0, 1 << 16, 0}, {0, 0, 1 << 16}}};

static pixman_image_t *create_linear_gradient(const struct gradient_point *from, const struct gradient_point *to,
                                              const struct gradient_stop *stops, int count)
{
    pixman_image_t *image = pixman.image_create_linear_gradient(from, to, stops, count);
    latest.image = NULL;
    if (image == NULL || count < 1 || count > GRADIENT_STOPS)
        return image;
    latest.image = image;
    latest.from = *from;
    latest.to = *to;
    memcpy(latest.stops, stops, (size_t)count * sizeof *stops);
    latest.count = count;
    latest.matrix = identity;
    latest.repeat = latest.state = 0;
    return image;
}

static int set_transform(pixman_image_t *image, const struct gradient_matrix *matrix)
{
    int succeeded = pixman.image_set_transform(image, matrix);
    if (image == latest.image) {
        latest.matrix = matrix == NULL ? identity : *matrix;
        if (!succeeded)
            latest.image = NULL; /* nobody knows what it is now */
        latest.state = 0;
    }
    return succeeded;
}

static void set_repeat(pixman_image_t *image, int repeat)
{
    pixman.image_set_repeat(image, repeat);
    if (image == latest.image) {
        latest.repeat = repeat;
        latest.state = 0;
    }
}

static int set_clip_region32(pixman_image_t *image, void *region)
{
    if (region != NULL)
        latest.clipped = image;
    else if (image == latest.clipped)
        latest.clipped = NULL;
    return pixman.image_set_clip_region32(image, region);
}

static int unref(pixman_image_t *image)
{
    if (image == latest.image)
        latest.image = NULL;
    if (image == latest.clipped)
        latest.clipped = NULL;
    return pixman.image_unref(image);
}

/* The mask of one row that cairo makes for all rows, or none. */
static int is_one_row(pixman_image_t *mask, int32_t x, int32_t y, int32_t width, int32_t height)
{
    return mask == NULL ||
           (x == 0 && y == 0 && pixman.image_get_format(mask) == A8 && pixman.image_get_stride(mask) == 0 &&
            width <= pixman.image_get_width(mask) && height <= pixman.image_get_height(mask));
}

static int lays(pixman_image_t *mask, pixman_image_t *target, int32_t x, int32_t y, int32_t target_x, int32_t target_y,
                int32_t width, int32_t height)
{
    if (latest.state == 0)
        latest.state = latest.repeat == PAD && gradient_set(&latest.gradient, &latest.from, &latest.to, latest.stops,
                                                            latest.count, &latest.matrix)
                           ? 1
                           : -1;
    if (latest.state < 0 || latest.clipped != NULL || pixman.image_get_format(target) != ARGB || target_x < 0 ||
        target_y < 0 || width < 1 || height < 1 || width > pixman.image_get_width(target) - target_x ||
        height > pixman.image_get_height(target) - target_y)
        return 0;
    const int stride = pixman.image_get_stride(target) / (int)sizeof(uint32_t);
    uint32_t *pixels = pixman.image_get_data(target) + (ptrdiff_t)stride * target_y + target_x;
    const struct gradient_target part = {pixels, stride, x, y, width, height};
    return gradient_over(&latest.gradient, &part, mask == NULL ? NULL : (uint8_t *)pixman.image_get_data(mask));
}

static void composite32(int operator, pixman_image_t *source, pixman_image_t *mask, pixman_image_t *target, int32_t x,
                        int32_t y, int32_t mask_x, int32_t mask_y, int32_t target_x, int32_t target_y, int32_t width,
                        int32_t height)
{
    if (operator != OVER || source != latest.image || source == NULL ||
        !is_one_row(mask, mask_x, mask_y, width, height) ||
        !lays(mask, target, x, y, target_x, target_y, width, height))
        pixman.image_composite32(operator, source, mask, target, x, y, mask_x, mask_y, target_x, target_y, width,
                                 height);
}

/* Numbers that are always the same. */
static uint32_t draw_lot(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)*state * below) >> 32);
}

enum { WIDE = 160, HIGH = 3, ROUNDS = 256 };

/* One gradient laid over noise by pixman and by us. */
static int agrees_once(uint32_t *state)
{
    uint32_t pixels[2][HIGH][WIDE], coverages[WIDE / 4];
    for (int i = 0; i < HIGH * WIDE; i++) {
        uint32_t alpha = draw_lot(state, 4) ? 255 : draw_lot(state, 256), color = alpha << 24;
        for (int shift = 0; shift < 24; shift += 8)
            color |= draw_lot(state, alpha + 1) << shift;
        pixels[0][i / WIDE][i % WIDE] = pixels[1][i / WIDE][i % WIDE] = color;
    }
    uint8_t mask_row[WIDE];
    for (int i = 0; i < WIDE; i++)
        mask_row[i] = (uint8_t)(draw_lot(state, 2) ? draw_lot(state, 256) : 255 * draw_lot(state, 2));
    memcpy(coverages, mask_row, sizeof coverages);
    struct gradient_stop stops[4];
    const int count = 2 + (int)draw_lot(state, 3);
    for (int i = 0; i < count; i++) {
        uint32_t channels[4];
        for (int k = 0; k < 4; k++)
            channels[k] = draw_lot(state, 4) ? draw_lot(state, 65536) : 65535;
        stops[i] = (struct gradient_stop){i * 65536 / (count - 1), (uint16_t)channels[0], (uint16_t)channels[1],
                                          (uint16_t)channels[2], (uint16_t)channels[3]};
    }
    struct gradient_point ends[2];
    for (int i = 0; i < 2; i++)
        ends[i] = (struct gradient_point){(int32_t)draw_lot(state, 1 << 20) - (1 << 19),
                                          draw_lot(state, 4) ? (int32_t)draw_lot(state, 1 << 20) - (1 << 19) : 4711};
    const int32_t scale = 200 + (int32_t)draw_lot(state, 2000);
    struct gradient_matrix matrix = identity;
    matrix.rows[0][0] = scale;
    matrix.rows[1][1] = -scale;
    matrix.rows[0][2] = (int32_t)draw_lot(state, 1 << 18) - (1 << 17) - scale * (WIDE / 2);
    matrix.rows[1][2] = (int32_t)draw_lot(state, 1 << 18) - (1 << 17);

    pixman_image_t *images[2], *source, *mask;
    for (int i = 0; i < 2; i++)
        images[i] = pixman.image_create_bits(ARGB, WIDE, HIGH, pixels[i][0], WIDE * 4);
    mask = pixman.image_create_bits(A8, WIDE, HIGH, coverages, 0);
    source = create_linear_gradient(&ends[0], &ends[1], stops, count);
    int agrees = 0;
    if (images[0] != NULL && images[1] != NULL && mask != NULL && source != NULL &&
        set_transform(source, &matrix)) {
        set_repeat(source, PAD);
        const int left = (int)draw_lot(state, WIDE / 2), width = 1 + (int)draw_lot(state, (uint32_t)(WIDE - left));
        const int height = draw_lot(state, 4) ? 1 : HIGH, x = (int)draw_lot(state, 2000), y = (int)draw_lot(state, 1000);
        pixman_image_t *used = draw_lot(state, 2) ? mask : NULL;
        pixman.image_composite32(OVER, source, used, images[0], x, y, 0, 0, left, 0, width, height);
        agrees = is_one_row(used, 0, 0, width, height) && lays(used, images[1], x, y, left, 0, width, height) &&
                 memcmp(pixels[0], pixels[1], sizeof pixels[0]) == 0;
    }
    for (int i = 0; i < 2; i++)
        if (images[i] != NULL)
            pixman.image_unref(images[i]);
    if (mask != NULL)
        pixman.image_unref(mask);
    if (source != NULL)
        unref(source);
    return agrees;
}

/* Colors between two stops that come out otherwise where a compiler has fused a multiplication with an addition, as many
 * do for processors that have an instruction for it. That happens to one color in ten millions, so they were searched
 * for: alpha, red, green and blue of both stops, where the stops are, and where the color is. */
static const struct {
    uint16_t left[4], right[4];
    int32_t from, to, at;
} telling[] = {
    {{35723, 17733, 21331, 54741}, {31097, 7196, 24929, 2056}, 13748, 13958, 13809},
    {{35723, 17733, 21331, 54741}, {31097, 7196, 24929, 2056}, 13748, 13958, 13809},
    {{50510, 56809, 63296, 30499}, {58038, 43767, 33559, 57775}, 14864, 22585, 16363},
    {{53684, 60188, 44997, 13841}, {609, 33140, 28902, 3808}, 621, 5914, 1041},
    {{65535, 10154, 52823, 53709}, {65535, 59821, 33229, 33707}, 11816, 38858, 36302},
    {{65535, 45228, 39758, 40320}, {65535, 50114, 47219, 604}, 17038, 44174, 24481},
    {{38354, 15764, 53548, 13397}, {32625, 54351, 61727, 60909}, 9818, 10835, 10171},
    {{57460, 49098, 57415, 20154}, {97, 15164, 1546, 23089}, 18838, 40203, 19534},
    {{61145, 55231, 18543, 56217}, {2784, 23911, 59179, 42692}, 2591, 39764, 2681},
    {{65535, 35587, 54898, 61975}, {65535, 61262, 53674, 10403}, 16490, 18412, 17454},
    {{14691, 62437, 20314, 16323}, {57427, 38576, 21563, 57570}, 12459, 12999, 12998},
    {{2727, 19959, 17978, 52086}, {63137, 57276, 65466, 16335}, 4540, 7441, 6734},
    {{65535, 15407, 29753, 24107}, {65535, 19620, 29091, 43072}, 16470, 16723, 16710},
    {{65535, 15407, 29753, 24107}, {65535, 19620, 29091, 43072}, 16470, 16723, 16710},
};

static int agrees_at(size_t index)
{
    const uint16_t *left = telling[index].left, *right = telling[index].right;
    const struct gradient_stop stops[2] = {{telling[index].from, left[1], left[2], left[3], left[0]},
                                           {telling[index].to, right[1], right[2], right[3], right[0]}};
    const struct gradient_point ends[2] = {{0, 0}, {1 << 16, 0}};
    struct gradient_matrix matrix = identity;
    matrix.rows[0][0] = matrix.rows[1][1] = 0; /* the same everywhere: at its place, as the axis is of length 1 */
    matrix.rows[0][2] = telling[index].at;
    uint32_t pixels[2] = {0, 0};
    pixman_image_t *image = pixman.image_create_bits(ARGB, 1, 1, &pixels[0], 4);
    pixman_image_t *other = pixman.image_create_bits(ARGB, 1, 1, &pixels[1], 4);
    pixman_image_t *source = create_linear_gradient(&ends[0], &ends[1], stops, 2);
    int agrees = 0;
    if (image != NULL && other != NULL && source != NULL && set_transform(source, &matrix)) {
        set_repeat(source, PAD);
        pixman.image_composite32(OVER, source, NULL, image, 0, 0, 0, 0, 0, 0, 1, 1);
        agrees = lays(NULL, other, 0, 0, 0, 0, 1, 1) && pixels[0] == pixels[1];
    }
    if (image != NULL)
        pixman.image_unref(image);
    if (other != NULL)
        pixman.image_unref(other);
    if (source != NULL)
        unref(source);
    return agrees;
}

static int agrees(void)
{
    uint32_t state = 20261126;
    for (int i = 0; i < ROUNDS; i++)
        if (!agrees_once(&state))
            return 0;
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        if (!agrees_at(i))
            return 0;
    return 1;
}

static int find_functions(void)
{
    static const char *const found[] = {
#define PIXMAN_NAME(result, name, arguments) "pixman_" #name,
        PIXMAN_FUNCTIONS(PIXMAN_NAME)
#undef PIXMAN_NAME
    };
    void *addresses[sizeof found / sizeof *found];
    _Static_assert(sizeof pixman == sizeof addresses, "one address for each function");
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        if ((addresses[i] = cairo_symbol(found[i])) == NULL)
            return 0;
    memcpy(&pixman, addresses, sizeof pixman);
    return 1;
}

/* POSIX has pointers to functions and to objects alike; the copy says so without a cast that C forbids. */
static void *address_of(void (*function)(void))
{
    void *address;
    _Static_assert(sizeof address == sizeof function, "POSIX");
    memcpy(&address, &function, sizeof address);
    return address;
}

#define ADDRESS(function) address_of((void (*)(void))(function))

/* gradients(ours): whether gradients are laid by us from now on. They are not where pixman cannot be reached, or where
 * one of our pixels is another than pixman's. */
PyObject *native_gradients(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    static int is_known; /* 1: the same as pixman; -1: not */
    if (count != 1 || !PyBool_Check(arguments[0])) {
        PyErr_SetString(PyExc_TypeError, "gradients(ours: bool)");
        return NULL;
    }
    if (is_known == 0)
        is_known = find_functions() && agrees() ? 1 : -1;
    if (is_known < 0)
        Py_RETURN_FALSE;
    const int ours = arguments[0] == Py_True;
    const struct led_call calls[] = {
        {"pixman_image_create_linear_gradient", ours ? ADDRESS(create_linear_gradient)
                                                     : ADDRESS(pixman.image_create_linear_gradient)},
        {"pixman_image_set_transform", ours ? ADDRESS(set_transform) : ADDRESS(pixman.image_set_transform)},
        {"pixman_image_set_repeat", ours ? ADDRESS(set_repeat) : ADDRESS(pixman.image_set_repeat)},
        {"pixman_image_set_clip_region32", ours ? ADDRESS(set_clip_region32)
                                                : ADDRESS(pixman.image_set_clip_region32)},
        {"pixman_image_unref", ours ? ADDRESS(unref) : ADDRESS(pixman.image_unref)},
        {"pixman_image_composite32", ours ? ADDRESS(composite32) : ADDRESS(pixman.image_composite32)},
    };
    int led = calls_lead(cairo_symbol("cairo_version"), calls, (int)(sizeof calls / sizeof *calls));
    return PyBool_FromLong(led && ours);
}
