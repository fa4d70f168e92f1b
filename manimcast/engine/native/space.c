/* Projection and shading of ThreeDCamera: each operation as NumPy does it, in the same order. */

#include "space.h"

#include <math.h>

struct formula formula_of(long code)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int *order = orders[(code / 4) % 6];
    return (struct formula){order[0], order[1], order[2], (int)(code % 4)};
}

double dot3(const struct formula *formula, const double *a, const double *b)
{
    double sum = a[formula->first] * b[formula->first];
    if (formula->fused & 1)
        sum = fma(a[formula->second], b[formula->second], sum);
    else
        sum = sum + a[formula->second] * b[formula->second];
    if (formula->fused & 2)
        return fma(a[formula->third], b[formula->third], sum);
    return sum + a[formula->third] * b[formula->third];
}

int view_project(const struct view *view, const struct rows *points, double *projected)
{
    for (Py_ssize_t i = 0; i < points->count; i++, projected += 3) {
        const double *point = points->data + i * points->stride;
        double moved[3];
        for (int axis = 0; axis < 3; axis++)
            moved[axis] = point[axis] - view->center[axis];
        for (int axis = 0; axis < 3; axis++)
            projected[axis] = dot3(&view->matrix, moved, view->rotation + 3 * axis);
        double distance = view->focal_distance - projected[2];
        if (distance == 0)
            return 0;
        double factor = distance < 0 ? 1e6 : view->focal_distance / distance;
        projected[0] *= factor * view->zoom;
        projected[1] *= factor * view->zoom;
        if (!isfinite(projected[0]) || !isfinite(projected[1]) || !isfinite(projected[2]))
            return 0;
    }
    return 1;
}

static double largest(const double v[3])
{
    return fmax(fmax(fabs(v[0]), fabs(v[1])), fabs(v[2]));
}

/* get_unit_normal() */
static void unit_normal(const struct view *view, const double a[3], const double b[3], double normal[3])
{
    const double tolerance = 1e-6;
    double p[3], q[3], u[3], cross[3];
    double size_a = largest(a), size_b = largest(b);
    if (size_a == 0.0 && size_b == 0.0)
        goto down;
    for (int i = 0; i < 3; i++) {
        p[i] = size_a == 0.0 ? 0.0 : a[i] / size_a;
        q[i] = size_b == 0.0 ? 0.0 : b[i] / size_b;
        u[i] = size_a == 0.0 ? q[i] : p[i];
    }
    if (size_a != 0.0 && size_b != 0.0) {
        cross[0] = p[1] * q[2] - p[2] * q[1];
        cross[1] = p[2] * q[0] - p[0] * q[2];
        cross[2] = p[0] * q[1] - p[1] * q[0];
        double length = sqrt(dot3(&view->vector, cross, cross));
        if (length > tolerance) {
            for (int i = 0; i < 3; i++)
                normal[i] = cross[i] / length;
            return;
        }
    }
    if (fabs(u[0]) < tolerance && fabs(u[1]) < tolerance)
        goto down;
    cross[0] = -u[0] * u[2];
    cross[1] = -u[1] * u[2];
    cross[2] = u[0] * u[0] + u[1] * u[1];
    double length = sqrt(dot3(&view->vector, cross, cross));
    for (int i = 0; i < 3; i++)
        normal[i] = cross[i] / length;
    return;
down:
    normal[0] = 0;
    normal[1] = -1;
    normal[2] = 0;
}

int view_light(const struct view *view, const struct rows *points, Py_ssize_t index, double *light)
{
    Py_ssize_t count = points->count;
    const double *corner = points->data + index * points->stride;
    double normal[3] = {0, 1, 0};
    /* get_anchors() has two for each curve, and fails where the points are no whole curves. */
    if (count % 4 != 0 || count == 0)
        return 0;
    if (count / 4 * 2 > 2) {
        const double *before = points->data + (index > 2 ? index - 3 : count - 4) * points->stride;
        const double *after = points->data + (index < count - 3 ? index + 3 : 3) * points->stride;
        double a[3], b[3];
        for (int i = 0; i < 3; i++) {
            a[i] = after[i] - corner[i];
            b[i] = before[i] - corner[i];
        }
        unit_normal(view, a, b, normal);
        if (sqrt(dot3(&view->vector, normal, normal)) == 0) {
            normal[0] = 0;
            normal[1] = 1;
            normal[2] = 0;
        }
    }
    double sun[3];
    for (int i = 0; i < 3; i++)
        sun[i] = view->light[i] - corner[i];
    double length = sqrt(dot3(&view->vector, sun, sun));
    for (int i = 0; i < 3; i++)
        sun[i] = length > 0 ? sun[i] / length : 0.0;
    double brightness = 0.5 * pow(dot3(&view->vector, normal, sun), 3.0);
    if (brightness < 0)
        brightness *= 0.5;
    *light = brightness;
    return isfinite(brightness);
}

/* dots(code, a, b): the dot products of the rows of two arrays by one formula, as a list. */
PyObject *native_dots(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "dots(code, a, b)");
        return NULL;
    }
    long code = PyLong_AsLong(arguments[0]);
    if (PyErr_Occurred())
        return NULL;
    struct formula formula = formula_of(code);
    struct held held = {0};
    struct rows a, b;
    PyObject *result = NULL;
    if (rows_of(&held, arguments[1], 3, &a) != 1 || rows_of(&held, arguments[2], 3, &b) != 1 || a.count != b.count) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "two arrays of vectors are needed");
    } else {
        result = PyList_New(a.count);
        for (Py_ssize_t i = 0; result != NULL && i < a.count; i++) {
            PyObject *value = PyFloat_FromDouble(dot3(&formula, a.data + i * a.stride, b.data + i * b.stride));
            if (value == NULL)
                Py_CLEAR(result);
            else
                PyList_SET_ITEM(result, i, value);
        }
    }
    held_release(&held);
    return result;
}
