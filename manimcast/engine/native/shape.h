/* One vmobject, ready to be drawn: what collect.c reads out of Manim's objects and draw.c gives to cairo. */

#ifndef MANIMCAST_SHAPE_H
#define MANIMCAST_SHAPE_H

#include "cairo_api.h"
#include "mobject.h"
#include "space.h"

/* A color, or a gradient if there are several; rows of red, green, blue, alpha. */
struct paint {
    struct rows stops;
    double lights[2]; /* what shading adds to the first two, if `shaded` */
    int shaded;
};

struct shape {
    struct rows points; /* rows of x, y, z; cubic curves of four points each */
    struct paint fill, stroke, background;
    double stroke_width, background_width; /* in cairo's user space; nothing is stroked with 0 */
    double tolerance;                      /* how far apart two points may be and count as one */
    double axis[4];                        /* from where to where gradients go: x0, y0, x1, y1 */
    int join, cap;
};

/* Everything that one call draws, and what it holds for that. */
struct collection {
    struct shape *shapes;
    Py_ssize_t count, room;
    struct held held;
    double **scratch; /* projected points */
    Py_ssize_t scratch_count, scratch_room;
};

/* The surface that is drawn on. */
struct canvas {
    cairo_t *context;
    Py_ssize_t width, height;
    unsigned char *drawn; /* one for each row of pixels: whether it may have been drawn on; or NULL */
};

/* Draw the shapes in their order. Does not touch Python. */
void draw_shapes(const struct canvas *canvas, const struct shape *shapes, Py_ssize_t count);

#endif
