/* The functions of cairo that are used, taken at import from the library that pycairo has loaded.
 *
 * Linking against cairo could bring a second one into the process (a wheel that bundles it, another version beside the
 * first), and two cairos neither share surfaces nor draw the same pixels. Cairo's ABI has been the same since 1.0, so
 * that its prototypes stand here, and no header of it is needed to build.
 */

#ifndef MANIMCAST_CAIRO_API_H
#define MANIMCAST_CAIRO_API_H

#include "native.h"

typedef struct _cairo cairo_t;
typedef struct _cairo_pattern cairo_pattern_t;
typedef struct {
    double xx, yx, xy, yy, x0, y0;
} cairo_matrix_t;

enum { CAIRO_OPERATOR_OVER = 2, CAIRO_LINE_CAP_SQUARE = 2, CAIRO_LINE_JOIN_MITER = 0 };

#define CAIRO_FUNCTIONS(X) \
    X(int, version, (void)) \
    X(int, status, (cairo_t *)) \
    X(int, get_operator, (cairo_t *)) \
    X(double, get_miter_limit, (cairo_t *)) \
    X(void, get_matrix, (cairo_t *, cairo_matrix_t *)) \
    X(void, new_path, (cairo_t *)) \
    X(void, new_sub_path, (cairo_t *)) \
    X(void, move_to, (cairo_t *, double, double)) \
    X(void, curve_to, (cairo_t *, double, double, double, double, double, double)) \
    X(void, close_path, (cairo_t *)) \
    X(void, set_source_rgba, (cairo_t *, double, double, double, double)) \
    X(void, set_source, (cairo_t *, cairo_pattern_t *)) \
    X(void, set_line_width, (cairo_t *, double)) \
    X(void, set_line_join, (cairo_t *, int)) \
    X(void, set_line_cap, (cairo_t *, int)) \
    X(void, fill_preserve, (cairo_t *)) \
    X(void, stroke_preserve, (cairo_t *)) \
    X(cairo_pattern_t *, pattern_create_linear, (double, double, double, double)) \
    X(void, pattern_add_color_stop_rgba, (cairo_pattern_t *, double, double, double, double, double)) \
    X(void, pattern_destroy, (cairo_pattern_t *))

struct cairo_functions {
#define CAIRO_FIELD(result, name, arguments) result(*name) arguments;
    CAIRO_FUNCTIONS(CAIRO_FIELD)
#undef CAIRO_FIELD
};

extern struct cairo_functions cairo;

/* Fill in `cairo`. Returns -1 with ImportError set where pycairo's library does not offer it. */
int cairo_load(void);

/* The address of a function of pycairo's library, or of one that it depends on; or NULL. */
void *cairo_symbol(const char *name);

/* The context behind pycairo's object: borrowed, or NULL with TypeError set. */
cairo_t *cairo_of(PyObject *context);

#endif
