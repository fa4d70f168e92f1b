/* pixman's functions as cairo calls them, and what takes their place for linear gradients. */

#ifndef MANIMCAST_PIXELS_H
#define MANIMCAST_PIXELS_H

#include "gradient.h"

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

/* Of the pixman that cairo uses; filled in before anything else here is used. */
extern struct pixman_functions {
#define PIXMAN_FIELD(result, name, arguments) result(*name) arguments;
    PIXMAN_FUNCTIONS(PIXMAN_FIELD)
#undef PIXMAN_FIELD
} pixman;

/* A matrix that changes nothing. */
#define IDENTITY {{{1 << 16, 0, 0}, {0, 1 << 16, 0}, {0, 0, 1 << 16}}}

/* As pixman's functions of these names; they are called, and what they are given is noted. */
pixman_image_t *pixels_create_gradient(const struct gradient_point *from, const struct gradient_point *to,
                                       const struct gradient_stop *stops, int count);
int pixels_set_transform(pixman_image_t *image, const struct gradient_matrix *matrix);
void pixels_set_repeat(pixman_image_t *image, int repeat);
int pixels_forget(pixman_image_t *image);

/* Whether it is the mask of one row that cairo makes for all rows, or none. */
int pixels_are_one_row(pixman_image_t *mask, int32_t x, int32_t y, int32_t width, int32_t height);
/* Lay the gradient that was made last; (x, y) is in its pixels. 0 where nothing was done. */
int pixels_lay(pixman_image_t *mask, pixman_image_t *target, int32_t x, int32_t y, int32_t target_x, int32_t target_y,
               int32_t width, int32_t height);

/* Whether gradients come out as pixman's own: a few hundred are laid both ways. */
int pixels_are_the_same(void);

#endif
