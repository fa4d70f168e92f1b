/* Three dimensions: projection and shading, in the operations and the order of Manim's own. */

#ifndef MANIMCAST_SPACE_H
#define MANIMCAST_SPACE_H

#include "mobject.h"

/* How NumPy's BLAS sums the three products of a dot product: in which order, and where it fuses a multiplication with
 * an addition. That depends on the library and on the processor, and so does the last bit of what it gives. Python
 * finds out which it is by comparing (`dots`). */
struct formula {
    int first, second, third;
    int fused; /* bit 0: second product is fused with the first; bit 1: the third with the sum */
};

/* The camera, as a frame sees it. */
struct view {
    double rotation[9], center[3], focal_distance, zoom, light[3];
    int shading;
    struct formula matrix; /* np.dot of two or more points with a matrix */
    struct formula vector; /* np.dot of two vectors */
};

double dot3(const struct formula *formula, const double *a, const double *b);
struct formula formula_of(long code);
/* project_points() for two points or more. 0 where a result is not finite or NumPy would warn. */
int view_project(const struct view *view, const struct rows *points, double *projected);
/* What get_shaded_rgb() adds at the corner `index` of a face. 0 if the face is odd. */
int view_light(const struct view *view, const struct rows *points, Py_ssize_t index, double *light);

#endif
