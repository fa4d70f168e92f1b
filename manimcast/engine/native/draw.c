/* Gives shapes to cairo, call by call as Manim's Camera does, and notes which rows of pixels that can have changed.
 *
 * What is left out, and why that changes no pixel:
 *
 * - A fill or stroke whose stops all have no alpha. Cairo takes a clear source with the operator OVER for nothing to
 *   do, and so do we, only earlier. (With another operator, which somebody must have set, nothing is left out.)
 * - A shape with nothing else, or one that lies outside of the surface. Ink stays within the hull of the control points
 *   (a Bezier curve does), widened by half the line's width (a stroke's outline), times the miter limit where joins are
 *   mitered (a miter longer than that times the line's width is cut off; its tip is half as far from the vertex), times
 *   the square root of 2 for square caps. Two pixels more stand for antialiasing, for cairo's tolerance when it
 *   flattens curves, and for its 8 bits of fraction. Coordinates that cairo's 24 bits of integer do not hold wrap
 *   around in it, so from half of that range on a shape counts as being everywhere.
 *
 * Leaving out a path must not be seen either: cairo keeps it, and a vmobject without points is stroked along the one
 * before it. So a shape is left out only when one with a path of its own follows in the same call.
 */

#include "shape.h"

#include <math.h>
#include <string.h>

static const double reach = 4194304.0; /* half of what cairo's fixed point numbers hold */

/* math.isclose as NumPy means it, with its relative tolerance: Camera's test for a subpath's end. */
static int close_to(double a, double b, double tolerance)
{
    if (a == b)
        return 1;
    double difference = fabs(a - b);
    return difference <= tolerance + 1.0e-5 * fabs(b) && isfinite(difference);
}

static int same_point(const double *a, const double *b, double tolerance)
{
    return close_to(a[0], b[0], tolerance) && close_to(a[1], b[1], tolerance);
}

/* Camera.set_cairo_context_path */
static void set_path(cairo_t *context, const struct shape *shape)
{
    const Py_ssize_t count = shape->points.count, stride = shape->points.stride;
    const double *points = shape->points.data;
    if (count == 0)
        return;
    cairo.new_path(context);
    for (Py_ssize_t start = 0, end; count >= 4 && start < count; start = end) {
        for (end = start + 4; end < count; end += 4)
            if (!same_point(points + (end - 1) * stride, points + end * stride, shape->tolerance))
                break;
        if (end > count)
            end = count;
        if (end - start < 4)
            continue;
        cairo.new_sub_path(context);
        cairo.move_to(context, points[start * stride], points[start * stride + 1]);
        for (Py_ssize_t i = start; i < end - 3; i += 4) {
            const double *a = points + (i + 1) * stride, *b = a + stride, *c = b + stride;
            cairo.curve_to(context, a[0], a[1], b[0], b[1], c[0], c[1]);
        }
        if (same_point(points + start * stride, points + (end - 1) * stride, shape->tolerance))
            cairo.close_path(context);
    }
}

/* Camera.set_cairo_context_color; the surface has its bytes in the reverse order, so red and blue change places. */
static void set_source(cairo_t *context, const struct paint *paint, const double axis[4])
{
    Py_ssize_t count = paint->shaded ? 2 : paint->stops.count;
    if (count == 1) {
        const double *rgba = paint->stops.data;
        cairo.set_source_rgba(context, rgba[2], rgba[1], rgba[0], rgba[3]);
        return;
    }
    cairo_pattern_t *pattern = cairo.pattern_create_linear(axis[0], axis[1], axis[2], axis[3]);
    double step = 1.0 / (double)(count - 1); /* numpy.linspace */
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t row = i < paint->stops.count ? i : paint->stops.count - 1;
        const double *rgba = paint->stops.data + row * paint->stops.stride;
        double offset = i == count - 1 ? 1.0 : (double)i * step;
        double light = paint->shaded ? paint->lights[i] : 0.0;
        if (paint->shaded)
            cairo.pattern_add_color_stop_rgba(pattern, offset, rgba[2] + light, rgba[1] + light, rgba[0] + light,
                                              rgba[3]);
        else
            cairo.pattern_add_color_stop_rgba(pattern, offset, rgba[2], rgba[1], rgba[0], rgba[3]);
    }
    cairo.set_source(context, pattern);
    cairo.pattern_destroy(pattern);
}

/* Camera.apply_stroke */
static void stroke(cairo_t *context, const struct shape *shape, const struct paint *paint, double width)
{
    set_source(context, paint, shape->axis);
    cairo.set_line_width(context, width);
    cairo.set_line_join(context, shape->join);
    cairo.set_line_cap(context, shape->cap);
    cairo.stroke_preserve(context);
}

static int is_clear(const struct paint *paint)
{
    for (Py_ssize_t i = 0; i < paint->stops.count; i++)
        if (!(paint->stops.data[i * paint->stops.stride + 3] <= 0))
            return 0;
    return 1;
}

/* In pixels; `last` is one behind. */
struct extent {
    double left, top, right, bottom;
    int everywhere;
};

static struct extent extent_of(const struct canvas *canvas, const struct shape *shape, int stroked)
{
    struct extent extent = {0};
    const double *point = shape->points.data;
    double left = point[0], right = point[0], low = point[1], high = point[1];
    for (Py_ssize_t i = 1; i < shape->points.count; i++) {
        point += shape->points.stride;
        left = point[0] < left ? point[0] : left;
        right = point[0] > right ? point[0] : right;
        low = point[1] < low ? point[1] : low;
        high = point[1] > high ? point[1] : high;
    }
    if (stroked) {
        double width = shape->stroke_width > shape->background_width ? shape->stroke_width : shape->background_width;
        double factor = 1.0;
        if (shape->cap == CAIRO_LINE_CAP_SQUARE)
            factor = 1.4143;
        if (shape->join == CAIRO_LINE_JOIN_MITER)
            factor = fmax(factor, cairo.get_miter_limit(canvas->context));
        double margin = width / 2 * factor;
        left -= margin;
        right += margin;
        low -= margin;
        high += margin;
    }
    cairo_matrix_t matrix;
    cairo.get_matrix(canvas->context, &matrix);
    for (int corner = 0; corner < 4; corner++) {
        double x = corner & 1 ? right : left, y = corner & 2 ? high : low;
        double across = matrix.xx * x + matrix.xy * y + matrix.x0;
        double down = matrix.yx * x + matrix.yy * y + matrix.y0;
        if (corner == 0) {
            extent.left = extent.right = across;
            extent.top = extent.bottom = down;
        }
        extent.left = fmin(extent.left, across);
        extent.right = fmax(extent.right, across);
        extent.top = fmin(extent.top, down);
        extent.bottom = fmax(extent.bottom, down);
        if (!(fabs(across) < reach && fabs(down) < reach))
            extent.everywhere = 1;
    }
    extent.left = floor(extent.left) - 2;
    extent.top = floor(extent.top) - 2;
    extent.right = ceil(extent.right) + 2;
    extent.bottom = ceil(extent.bottom) + 2;
    return extent;
}

/* Note the rows; 0 if there are none because the shape lies outside. */
static int note_rows(const struct canvas *canvas, const struct extent *extent)
{
    Py_ssize_t first = 0, end = canvas->height;
    if (!extent->everywhere) {
        if (extent->right <= 0 || extent->left >= (double)canvas->width)
            return 0;
        if (extent->bottom <= 0 || extent->top >= (double)canvas->height)
            return 0;
        first = extent->top > 0 ? (Py_ssize_t)extent->top : 0;
        end = extent->bottom < (double)canvas->height ? (Py_ssize_t)extent->bottom : canvas->height;
    }
    if (canvas->drawn != NULL)
        memset(canvas->drawn + first, 1, (size_t)(end - first));
    return 1;
}

static void draw_shape(const struct canvas *canvas, const struct shape *shape, int may_leave_out)
{
    int background = shape->background_width != 0 && !(may_leave_out && is_clear(&shape->background));
    int fill = !is_clear(&shape->fill);
    int line = shape->stroke_width != 0 && !(may_leave_out && is_clear(&shape->stroke));
    if (may_leave_out && !background && !fill && !line)
        return;
    struct extent extent = extent_of(canvas, shape, shape->stroke_width != 0 || shape->background_width != 0);
    if (!note_rows(canvas, &extent) && may_leave_out)
        return;
    cairo_t *context = canvas->context;
    set_path(context, shape);
    if (background)
        stroke(context, shape, &shape->background, shape->background_width);
    if (fill || !line) {
        set_source(context, &shape->fill, shape->axis);
        cairo.fill_preserve(context);
    }
    if (line)
        stroke(context, shape, &shape->stroke, shape->stroke_width);
}

void draw_shapes(const struct canvas *canvas, const struct shape *shapes, Py_ssize_t count)
{
    int over = cairo.get_operator(canvas->context) == CAIRO_OPERATOR_OVER;
    if (!over && canvas->drawn != NULL)
        memset(canvas->drawn, 1, (size_t)canvas->height);
    for (Py_ssize_t i = 0; i < count; i++) {
        int may_leave_out = over && i + 1 < count && shapes[i + 1].points.count > 0;
        if (shapes[i].points.count > 0 && over) {
            draw_shape(canvas, &shapes[i], may_leave_out);
            continue;
        }
        /* No path of its own: it is drawn along the one before, whichever that is. Or an operator that we do not know:
         * everything is done, in order. */
        cairo_t *context = canvas->context;
        if (canvas->drawn != NULL)
            memset(canvas->drawn, 1, (size_t)canvas->height);
        set_path(context, &shapes[i]);
        if (shapes[i].background_width != 0)
            stroke(context, &shapes[i], &shapes[i].background, shapes[i].background_width);
        set_source(context, &shapes[i].fill, shapes[i].axis);
        cairo.fill_preserve(context);
        if (shapes[i].stroke_width != 0)
            stroke(context, &shapes[i], &shapes[i].stroke, shapes[i].stroke_width);
    }
}
