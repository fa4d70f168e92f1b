/* Reading Manim's mobjects: attributes out of their dictionaries, arrays as rows of doubles.
 *
 * A mobject is read this way only if nothing in its class or in itself could answer differently: see `judge`.
 */

#ifndef MANIMCAST_MOBJECT_H
#define MANIMCAST_MOBJECT_H

#include "native.h"

/* Attributes and methods, by name. */
#define MOBJECT_ATTRIBUTES(X) \
    X(points) X(submobjects) X(z_index) X(z_index_group) X(shade_in_3d) X(n_points_per_cubic_curve) \
    X(tolerance_for_point_equality) X(fill_rgbas) X(stroke_rgbas) X(background_stroke_rgbas) X(stroke_width) \
    X(background_stroke_width) X(joint_type) X(cap_style) X(background_image) X(sheen_direction)
#define MOBJECT_METHODS(X) \
    X(get_gradient_start_and_end_points)

struct names {
#define NAME_FIELD(name) PyObject *name;
    MOBJECT_ATTRIBUTES(NAME_FIELD) MOBJECT_METHODS(NAME_FIELD)
#undef NAME_FIELD
};
extern struct names names;

/* What a class is good for, as `judge` says. */
enum {
    PLAIN_PATH = 1,   /* drawn by Manim's own methods */
    PLAIN_CENTER = 2, /* so is its middle found */
    PLAIN_FAMILY = 4, /* and its family walked */
};

/* Which classes are plain: a cache for one call, filled by a Python function. */
struct judge {
    PyObject *function;  /* class -> flags */
    PyObject *known;     /* dict: class -> flags */
    PyObject *overrides; /* names that make a mobject odd when they stand in its own dictionary */
    PyTypeObject *last;
    long flags;
};

/* An array of doubles with rows of `width`; `stride` is in doubles. */
struct rows {
    const double *data;
    Py_ssize_t count, stride;
};

/* Buffers that are held while their content is used. */
struct held {
    Py_buffer *buffers;
    Py_ssize_t count, room;
};

int names_load(void);
long judge_flags(struct judge *judge, PyObject *mobject);
/* The mobject's own dictionary (a new reference), or NULL: without an error if it is odd. */
PyObject *mobject_dict(struct judge *judge, PyObject *mobject, long wanted);
/* 1: `rows` is filled; 0: not an array of float64 with rows of `width`; -1: error. */
int rows_of(struct held *held, PyObject *array, Py_ssize_t width, struct rows *rows);
void held_release(struct held *held);
/* The number of a member of an enumeration, among `members`, a tuple of pairs: 1, or 0 if it is none of them. */
int member_of(PyObject *members, PyObject *value, int *number);
/* The middle of a mobject's bounding box, as get_center() finds it. 1, 0: has to be asked, -1: error. */
int mobject_center(struct judge *judge, struct held *held, PyObject *mobject, double center[3]);
/* Smallest and largest coordinates of the anchors. 1, 0 if NumPy might answer something else. */
int anchors_extent(const struct rows *points, double low[3], double high[3], Py_ssize_t *found);

#endif
