/* Reads vmobjects into shapes, and has them drawn: the function `draw`. */

#include "shape.h"

#include <math.h>

/* What the arguments of `draw` say besides the vmobjects. */
struct settings {
    struct judge judge;
    PyObject *joints, *caps; /* tuples of (member, cairo's number) */
    double line_width_multiple;
    struct view *view; /* or NULL for a flat camera */
    PyObject *in_frame, *fixed_orientation, *shift;
    PyObject *ends; /* a mobject's own function for its gradients -> what it gives, or None if that is not known */
};

static void release(struct collection *collection)
{
    held_release(&collection->held);
    for (Py_ssize_t i = 0; i < collection->scratch_count; i++)
        PyMem_Free(collection->scratch[i]);
    PyMem_Free(collection->scratch);
    PyMem_Free(collection->shapes);
}

static double *scratch(struct collection *collection, Py_ssize_t doubles)
{
    if (collection->scratch_count == collection->scratch_room) {
        Py_ssize_t room = collection->scratch_room ? 2 * collection->scratch_room : 64;
        double **more = PyMem_Realloc(collection->scratch, (size_t)room * sizeof *more);
        if (more == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        collection->scratch = more;
        collection->scratch_room = room;
    }
    double *memory = PyMem_Malloc((size_t)doubles * sizeof *memory);
    if (memory == NULL)
        PyErr_NoMemory();
    else
        collection->scratch[collection->scratch_count++] = memory;
    return memory;
}

/* get_stroke_width(): 1, or 0 if it is no plain number. */
static int width_of(PyObject *value, double multiple, double *width)
{
    if (value == NULL || !(PyFloat_Check(value) || PyLong_CheckExact(value)))
        return 0;
    double number = PyFloat_AsDouble(value);
    if (number == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    if (!(number > 0.0))
        number = 0.0;
    *width = number * multiple;
    /* A width so small that the product is 0 is not 0 to Manim. */
    return isfinite(*width) && !(number != 0 && *width == 0);
}

static int vector_of(PyObject *object, double vector[3])
{
    PyObject *items = PySequence_Fast(object, "a vector is needed");
    if (items == NULL)
        return -1;
    int result = 0;
    if (PySequence_Fast_GET_SIZE(items) != 3) {
        PyErr_SetString(PyExc_ValueError, "a vector has three components");
        result = -1;
    }
    for (int i = 0; result == 0 && i < 3; i++) {
        vector[i] = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(items, i));
        if (vector[i] == -1.0 && PyErr_Occurred())
            result = -1;
    }
    Py_DECREF(items);
    return result;
}

/* transform_points_pre_display(): 1, 0 to leave it to Manim, -1. */
static int place(const struct settings *settings, struct collection *collection, PyObject *vmobject,
                 struct rows *points)
{
    for (Py_ssize_t i = 0; i < points->count; i++) {
        const double *point = points->data + i * points->stride;
        if (!isfinite(point[0]) || !isfinite(point[1]) || !isfinite(point[2]))
            return 0;
    }
    if (settings->view == NULL || points->count == 0)
        return 1;
    int found = PySet_Contains(settings->in_frame, vmobject);
    if (found != 0)
        return found;
    double *placed = scratch(collection, 3 * points->count);
    if (placed == NULL)
        return -1;
    found = PyDict_Contains(settings->fixed_orientation, vmobject);
    if (found < 0)
        return -1;
    if (found) {
        double shift[3];
        PyObject *moved = PyObject_CallOneArg(settings->shift, vmobject);
        if (moved == NULL)
            return -1;
        int failed = vector_of(moved, shift);
        Py_DECREF(moved);
        if (failed < 0)
            return -1;
        for (Py_ssize_t i = 0; i < points->count; i++)
            for (int axis = 0; axis < 3; axis++) {
                placed[3 * i + axis] = points->data[i * points->stride + axis] + shift[axis];
                if (!isfinite(placed[3 * i + axis]))
                    return 0;
            }
    } else if (points->count < 2 || !view_project(settings->view, points, placed)) {
        return 0; /* BLAS takes another way for a single point */
    }
    *points = (struct rows){placed, points->count, 3};
    return 1;
}

/* Two points: 1, 0 if it is something else. A reference is taken over. */
static int ends_of(PyObject *pair, double ends[6])
{
    int found = PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2 &&
                vector_of(PyTuple_GET_ITEM(pair, 0), ends) == 0 && vector_of(PyTuple_GET_ITEM(pair, 1), ends + 3) == 0;
    Py_DECREF(pair);
    PyErr_Clear();
    return found;
}

/* get_gradient_start_and_end_points(), found here for what is simple and asked for otherwise. */
static int axis_of(struct settings *settings, struct collection *collection, PyObject *vmobject, PyObject *dict,
                   const struct rows *points, int in_space, double axis[4])
{
    double ends[6], direction[3], low[3], high[3];
    struct rows two = {ends, 2, 3};
    Py_ssize_t found = 0;
    PyObject *own = PyDict_GetItemWithError(dict, names.get_gradient_start_and_end_points);
    PyObject *submobjects = PyDict_GetItemWithError(dict, names.submobjects);
    PyObject *sheen = PyDict_GetItemWithError(dict, names.sheen_direction);
    if (own != NULL) {
        PyObject *asked = PyObject_CallOneArg(settings->ends, own);
        if (asked == NULL)
            return -1;
        if (!ends_of(asked, ends))
            return 0;
    } else if (in_space) {
        const double *end = points->data + (points->count - 1) / 6 * 3 * points->stride;
        for (int i = 0; i < 3; i++) {
            ends[i] = points->data[i];
            ends[3 + i] = end[i];
        }
    } else if ((settings->judge.flags & PLAIN_CENTER) && submobjects != NULL && PyList_CheckExact(submobjects) &&
               PyList_GET_SIZE(submobjects) == 0 && sheen != NULL && points->count >= 4 &&
               vector_of(sheen, direction) == 0 && anchors_extent(points, low, high, &found)) {
        for (int i = 0; i < 3; i++) {
            double center = (low[i] + high[i]) / 2;
            double offset = (high[i] - center) * direction[i];
            ends[i] = center - offset;
            ends[3 + i] = center + offset;
        }
    } else {
        PyErr_Clear();
        PyObject *asked = PyObject_CallMethodNoArgs(vmobject, names.get_gradient_start_and_end_points);
        if (asked == NULL)
            return -1;
        if (!ends_of(asked, ends))
            return 0;
    }
    int result = place(settings, collection, vmobject, &two);
    if (result == 1) {
        axis[0] = two.data[0];
        axis[1] = two.data[1];
        axis[2] = two.data[3];
        axis[3] = two.data[4];
    }
    return result;
}

/* 1, 0 if there is no color that we can read. */
static int paint_of(struct collection *collection, PyObject *rgbas, struct paint *paint)
{
    int result = rows_of(&collection->held, rgbas, 4, &paint->stops);
    return result == 1 && paint->stops.count == 0 ? 0 : result;
}

static int shape_of(struct settings *settings, struct collection *collection, PyObject *vmobject, PyObject *dict,
                    struct shape *shape)
{
    struct rows points;
    PyObject *value = PyDict_GetItemWithError(dict, names.n_points_per_cubic_curve);
    if (value == NULL || !PyLong_CheckExact(value) || PyLong_AsLong(value) != 4)
        return 0;
    if (PyDict_GetItemWithError(dict, names.background_image) != Py_None)
        return 0;
    value = PyDict_GetItemWithError(dict, names.tolerance_for_point_equality);
    if (value == NULL || !PyFloat_Check(value))
        return 0;
    shape->tolerance = PyFloat_AS_DOUBLE(value);
    PyObject *shaded = PyDict_GetItemWithError(dict, names.shade_in_3d);
    if (shaded != Py_True && shaded != Py_False)
        return 0;
    if (!member_of(settings->joints, PyDict_GetItemWithError(dict, names.joint_type), &shape->join) ||
        !member_of(settings->caps, PyDict_GetItemWithError(dict, names.cap_style), &shape->cap))
        return 0;
    if (!width_of(PyDict_GetItemWithError(dict, names.stroke_width), settings->line_width_multiple,
                  &shape->stroke_width) ||
        !width_of(PyDict_GetItemWithError(dict, names.background_stroke_width), settings->line_width_multiple,
                  &shape->background_width))
        return 0;
    int result = rows_of(&collection->held, PyDict_GetItemWithError(dict, names.points), 3, &points);
    if (result != 1)
        return result;
    result = paint_of(collection, PyDict_GetItemWithError(dict, names.fill_rgbas), &shape->fill);
    if (result == 1 && shape->stroke_width != 0)
        result = paint_of(collection, PyDict_GetItemWithError(dict, names.stroke_rgbas), &shape->stroke);
    if (result == 1 && shape->background_width != 0)
        result = paint_of(collection, PyDict_GetItemWithError(dict, names.background_stroke_rgbas),
                          &shape->background);
    if (result != 1)
        return result;
    shape->points = points;
    result = place(settings, collection, vmobject, &shape->points);
    if (result != 1)
        return result;
    if (settings->view != NULL && settings->view->shading && shaded == Py_True && points.count > 0) {
        double *lights = shape->fill.lights;
        if (!view_light(settings->view, &points, 0, &lights[0]) ||
            !view_light(settings->view, &points, (points.count - 1) / 6 * 3, &lights[1]))
            return 0;
        for (int i = 0; i < 2; i++)
            shape->stroke.lights[i] = shape->background.lights[i] = lights[i];
        shape->fill.shaded = shape->stroke.shaded = shape->background.shaded = 1;
    }
    if (shape->fill.shaded || shape->fill.stops.count > 1 ||
        (shape->stroke_width != 0 && shape->stroke.stops.count > 1) ||
        (shape->background_width != 0 && shape->background.stops.count > 1)) {
        if (points.count == 0)
            return 0;
        return axis_of(settings, collection, vmobject, dict, &points, shaded == Py_True, shape->axis);
    }
    return 1;
}

/* 1: added; 0: to be left to Manim; -1: error. */
static int add_shape(struct settings *settings, struct collection *collection, PyObject *vmobject)
{
    if (collection->count == collection->room) {
        Py_ssize_t room = collection->room ? 2 * collection->room : 64;
        struct shape *shapes = PyMem_Realloc(collection->shapes, (size_t)room * sizeof *shapes);
        if (shapes == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        collection->shapes = shapes;
        collection->room = room;
    }
    struct shape *shape = &collection->shapes[collection->count];
    *shape = (struct shape){0};
    PyObject *dict = mobject_dict(&settings->judge, vmobject, PLAIN_PATH);
    if (dict == NULL)
        return PyErr_Occurred() ? -1 : 0;
    int result = shape_of(settings, collection, vmobject, dict, shape);
    Py_DECREF(dict);
    if (result == 1)
        collection->count++;
    return PyErr_Occurred() ? -1 : result;
}

static int read_view(PyObject *tuple, struct settings *settings, struct view *view)
{
    PyObject *rotation, *center, *light;
    long matrix, vector;
    if (!PyArg_ParseTuple(tuple, "OOddOllO!O!O", &rotation, &center, &view->focal_distance, &view->zoom, &light,
                          &matrix, &vector, &PySet_Type, &settings->in_frame, &PyDict_Type,
                          &settings->fixed_orientation, &settings->shift))
        return -1;
    PyObject *rows = PySequence_Fast(rotation, "a matrix is needed");
    if (rows == NULL)
        return -1;
    int result = 0;
    if (PySequence_Fast_GET_SIZE(rows) != 3) {
        PyErr_SetString(PyExc_ValueError, "a rotation has three rows");
        result = -1;
    }
    for (int i = 0; result == 0 && i < 3; i++)
        result = vector_of(PySequence_Fast_GET_ITEM(rows, i), view->rotation + 3 * i);
    Py_DECREF(rows);
    if (result < 0 || vector_of(center, view->center) < 0)
        return -1;
    view->shading = light != Py_None;
    if (view->shading && vector_of(light, view->light) < 0)
        return -1;
    view->matrix = formula_of(matrix);
    view->vector = formula_of(vector);
    settings->view = view;
    return 0;
}

/* draw(context, vmobjects, start, judge, known, overrides, joints, caps, multiple, width, height, drawn, view, ends)
 *
 * Draws vmobjects[start:] until one has to be left to Manim, and returns the index of that.
 */
PyObject *native_draw(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    struct collection collection = {0};
    struct settings settings = {0};
    struct canvas canvas = {0};
    struct view view = {0};
    Py_buffer drawn = {0};
    if (count != 14 || !PyList_CheckExact(arguments[1]) || !PyDict_CheckExact(arguments[4]) ||
        !PyTuple_CheckExact(arguments[5]) || !PyTuple_CheckExact(arguments[6]) || !PyTuple_CheckExact(arguments[7])) {
        PyErr_SetString(PyExc_TypeError, "draw(context, vmobjects, start, judge, known, overrides, joints, caps, "
                                         "multiple, width, height, drawn, view, ends)");
        return NULL;
    }
    canvas.context = cairo_of(arguments[0]);
    if (canvas.context == NULL)
        return NULL;
    PyObject *vmobjects = arguments[1];
    Py_ssize_t start = PyLong_AsSsize_t(arguments[2]), index;
    settings.judge = (struct judge){.function = arguments[3], .known = arguments[4], .overrides = arguments[5]};
    settings.joints = arguments[6];
    settings.caps = arguments[7];
    settings.ends = arguments[13];
    settings.line_width_multiple = PyFloat_AsDouble(arguments[8]);
    canvas.width = PyLong_AsSsize_t(arguments[9]);
    canvas.height = PyLong_AsSsize_t(arguments[10]);
    if (PyErr_Occurred())
        return NULL;
    if (arguments[12] != Py_None && read_view(arguments[12], &settings, &view) < 0)
        return NULL;
    if (arguments[11] != Py_None) {
        if (PyObject_GetBuffer(arguments[11], &drawn, PyBUF_WRITABLE) < 0)
            return NULL;
        if (drawn.len != canvas.height) {
            PyErr_SetString(PyExc_ValueError, "one byte for each row is needed");
            PyBuffer_Release(&drawn);
            return NULL;
        }
        canvas.drawn = drawn.buf;
    }
    int result = 1;
    for (index = start; cairo.status(canvas.context) == 0 && index < PyList_GET_SIZE(vmobjects); index++) {
        result = add_shape(&settings, &collection, PyList_GET_ITEM(vmobjects, index));
        if (result != 1)
            break;
    }
    if (result >= 0 && collection.count > 0) {
        Py_BEGIN_ALLOW_THREADS
        draw_shapes(&canvas, collection.shapes, collection.count);
        Py_END_ALLOW_THREADS
    }
    if (drawn.obj != NULL)
        PyBuffer_Release(&drawn);
    release(&collection);
    return result < 0 ? NULL : PyLong_FromSsize_t(index);
}
