/* Linear gradients, as pixman computes and lays them. */

#ifndef MANIMCAST_GRADIENT_H
#define MANIMCAST_GRADIENT_H

#include <stdint.h>

enum { GRADIENT_STOPS = 16 };

/* As in pixman.h: numbers of 16.16 bits, and colors of 16 bits a channel. */
struct gradient_point {
    int32_t x, y;
};
struct gradient_stop {
    int32_t x;
    uint16_t red, green, blue, alpha;
};
struct gradient_matrix {
    int32_t rows[3][3]; /* from pixels to the space of the points */
};

/* The color between two stops: each channel is `slope` times the position and `base`, the first one alpha, the others
 * as parts of it. */
struct gradient_segment {
    int32_t end; /* the position it ends before */
    int is_even;
    float slope[4], base[4];
};

struct gradient {
    struct gradient_point start, extent;
    struct gradient_matrix matrix;
    struct gradient_segment segments[GRADIENT_STOPS + 1];
    int count;           /* of segments */
    double scale;        /* of positions */
    double across;       /* what the position changes by with each pixel */
    double down, length; /* and with each row: the one divided by the other */
};

/* Part of a picture of premultiplied ARGB, as many pixels as `width` and `height` say, and where that lies in the
 * gradient's pixels. */
struct gradient_target {
    uint32_t *pixels;
    int stride; /* in pixels */
    int x, y, width, height;
};

/* 0 where it is a gradient that is not known here. Colors go on beyond the outermost stops. */
int gradient_set(struct gradient *gradient, const struct gradient_point *from, const struct gradient_point *to,
                 const struct gradient_stop *stops, int count, const struct gradient_matrix *matrix);

/* Lay it over the target; `mask` is one row of coverages for all rows, or NULL. 0 where nothing was done, as numbers
 * would be too large. */
int gradient_over(const struct gradient *gradient, const struct gradient_target *target, const uint8_t *mask);

#endif
