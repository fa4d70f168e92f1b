/* Takes over what pixman does with linear gradients for cairo: the function `gradients`.
 *
 * Cairo decides everything: which pixels a shape covers and how much of each, and where exactly a gradient lies. Its
 * calls of pixman are led here. The functions that make a gradient are pixman's own, and what they are given is noted
 * for as long as the gradient lives; when it is laid over a picture, gradient.c does that if it can, else pixman. */

#include "native.h"

#include "cairo_api.h"
#include "calls.h"
#include "pixels.h"

#include <stddef.h>
#include <string.h>

struct pixman_functions pixman;

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

static const struct gradient_matrix identity = IDENTITY;

pixman_image_t *pixels_create_gradient(const struct gradient_point *from, const struct gradient_point *to,
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

int pixels_set_transform(pixman_image_t *image, const struct gradient_matrix *matrix)
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

void pixels_set_repeat(pixman_image_t *image, int repeat)
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

int pixels_forget(pixman_image_t *image)
{
    if (image == latest.image)
        latest.image = NULL;
    if (image == latest.clipped)
        latest.clipped = NULL;
    return pixman.image_unref(image);
}

int pixels_are_one_row(pixman_image_t *mask, int32_t x, int32_t y, int32_t width, int32_t height)
{
    return mask == NULL ||
           (x == 0 && y == 0 && pixman.image_get_format(mask) == A8 && pixman.image_get_stride(mask) == 0 &&
            width <= pixman.image_get_width(mask) && height <= pixman.image_get_height(mask));
}

int pixels_lay(pixman_image_t *mask, pixman_image_t *target, int32_t x, int32_t y, int32_t target_x, int32_t target_y,
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
        !pixels_are_one_row(mask, mask_x, mask_y, width, height) ||
        !pixels_lay(mask, target, x, y, target_x, target_y, width, height))
        pixman.image_composite32(operator, source, mask, target, x, y, mask_x, mask_y, target_x, target_y, width,
                                 height);
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
        is_known = find_functions() && pixels_are_the_same() ? 1 : -1;
    if (is_known < 0)
        Py_RETURN_FALSE;
    const int ours = arguments[0] == Py_True;
    const struct led_call calls[] = {
        {"pixman_image_create_linear_gradient", ours ? ADDRESS(pixels_create_gradient)
                                                     : ADDRESS(pixman.image_create_linear_gradient)},
        {"pixman_image_set_transform", ours ? ADDRESS(pixels_set_transform) : ADDRESS(pixman.image_set_transform)},
        {"pixman_image_set_repeat", ours ? ADDRESS(pixels_set_repeat) : ADDRESS(pixman.image_set_repeat)},
        {"pixman_image_set_clip_region32", ours ? ADDRESS(set_clip_region32)
                                                : ADDRESS(pixman.image_set_clip_region32)},
        {"pixman_image_unref", ours ? ADDRESS(pixels_forget) : ADDRESS(pixman.image_unref)},
        {"pixman_image_composite32", ours ? ADDRESS(composite32) : ADDRESS(pixman.image_composite32)},
    };
    int led = calls_lead(cairo_symbol("cairo_version"), calls, (int)(sizeof calls / sizeof *calls));
    return PyBool_FromLong(led && ours);
}
