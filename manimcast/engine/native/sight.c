/* What drawing reads of vmobjects, as bytes: the function `sight`. engine/drawn.py makes digests of it, and says why
 * these bytes are what decides a picture; here they are gathered, as it does, without Python for what is plain. */

#include "mobject.h"

#include <string.h>

/* Parts of bytes one after the other, and the length of each. */
struct parts {
    char *content;
    size_t size, room;
    uint64_t *lengths;
    size_t count, lengths_room;
};

/* What is read is put behind `size`, where there is room for it. */
static char *part(struct parts *parts, size_t size)
{
    if (parts->room - parts->size < size) {
        size_t room = 2 * parts->room + size + 4096;
        char *more = PyMem_Realloc(parts->content, room);
        if (more == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        parts->content = more;
        parts->room = room;
    }
    if (parts->count == parts->lengths_room) {
        size_t room = 2 * parts->lengths_room + 64;
        uint64_t *more = PyMem_Realloc(parts->lengths, room * sizeof *more);
        if (more == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        parts->lengths = more;
        parts->lengths_room = room;
    }
    char *place = parts->content + parts->size;
    parts->size += size;
    parts->lengths[parts->count++] = size;
    return place;
}

static int put(struct parts *parts, const void *bytes, size_t size)
{
    char *place = part(parts, size);
    if (place != NULL)
        memcpy(place, bytes, size);
    return place == NULL ? -1 : 1;
}

/* Four bytes that begin no name of a type, the shape, the numbers. */
static int put_rows(struct parts *parts, const struct rows *rows, uint32_t width)
{
    const uint32_t head[3] = {0, (uint32_t)rows->count, width};
    const size_t row = width * sizeof(double);
    char *place = part(parts, sizeof head + (size_t)rows->count * row);
    if (place == NULL)
        return -1;
    memcpy(place, head, sizeof head);
    place += sizeof head;
    for (Py_ssize_t i = 0; i < rows->count; i++, place += row)
        memcpy(place, rows->data + i * rows->stride, row);
    return 1;
}

/* What the arguments of `sight` say besides the mobjects. */
struct settings {
    struct judge judge;
    PyObject *joints, *caps; /* tuples of (member, its value) */
    PyObject *in_frame, *fixed; /* a set and a dict for a camera in space, or NULL */
};

static int number_of(PyObject *value, double *number)
{
    if (value == NULL || !(PyFloat_Check(value) || PyLong_Check(value)))
        return 0;
    *number = PyFloat_AsDouble(value);
    return !PyErr_Occurred();
}

/* 1, 0 if Python has to look at it, -1. */
static int put_numbers(const struct settings *settings, struct parts *parts, PyObject *dict, int *is_shaded)
{
    double widths[3];
    int kinds[4];
    _Static_assert(sizeof(int) == 4, "as they are packed in Python");
    PyObject *shaded = PyDict_GetItemWithError(dict, names.shade_in_3d);
    PyObject *per_curve = PyDict_GetItemWithError(dict, names.n_points_per_cubic_curve);
    if ((shaded != Py_True && shaded != Py_False) || per_curve == NULL || !PyLong_CheckExact(per_curve) ||
        PyDict_GetItemWithError(dict, names.background_image) != Py_None ||
        !number_of(PyDict_GetItemWithError(dict, names.stroke_width), &widths[0]) ||
        !number_of(PyDict_GetItemWithError(dict, names.background_stroke_width), &widths[1]) ||
        !number_of(PyDict_GetItemWithError(dict, names.tolerance_for_point_equality), &widths[2]) ||
        !member_of(settings->joints, PyDict_GetItemWithError(dict, names.joint_type), &kinds[0]) ||
        !member_of(settings->caps, PyDict_GetItemWithError(dict, names.cap_style), &kinds[1]))
        return 0;
    long points = PyLong_AsLong(per_curve);
    if (PyErr_Occurred() || points < INT32_MIN || points > INT32_MAX)
        return 0;
    *is_shaded = shaded == Py_True;
    kinds[2] = (int)points;
    kinds[3] = *is_shaded;
    char *place = part(parts, sizeof widths + sizeof kinds);
    if (place == NULL)
        return -1;
    memcpy(place, widths, sizeof widths);
    memcpy(place + sizeof widths, kinds, sizeof kinds);
    return 1;
}

/* What a camera in space looks at besides. */
static int put_space(const struct settings *settings, struct parts *parts, PyObject *mobject, PyObject *dict,
                     int is_shaded)
{
    int in_frame = PySet_Contains(settings->in_frame, mobject), fixed = PyDict_Contains(settings->fixed, mobject);
    if (in_frame < 0 || fixed < 0)
        return -1;
    if (fixed)
        return 0;
    if (is_shaded) {
        PyObject *group = PyDict_GetItemWithError(dict, names.z_index_group);
        PyObject *submobjects = PyDict_GetItemWithError(dict, names.submobjects);
        if ((group != NULL && group != mobject) || submobjects == NULL || !PyList_CheckExact(submobjects) ||
            PyList_GET_SIZE(submobjects) > 0)
            return 0;
    }
    const char flags[2] = {(char)in_frame, 0};
    return put(parts, "in space", 8) < 0 ? -1 : put(parts, flags, sizeof flags);
}

static int put_plain(const struct settings *settings, struct held *held, struct parts *parts, PyObject *mobject,
                     PyObject *dict)
{
    struct rows points, colors[3];
    PyObject *const colored[3] = {names.fill_rgbas, names.stroke_rgbas, names.background_stroke_rgbas};
    int is_shaded, has_gradient = 0;
    int result = put_numbers(settings, parts, dict, &is_shaded);
    if (result == 1)
        result = rows_of(held, PyDict_GetItemWithError(dict, names.points), 3, &points);
    if (result == 1)
        result = put_rows(parts, &points, 3);
    for (int i = 0; result == 1 && i < 3; i++) {
        result = rows_of(held, PyDict_GetItemWithError(dict, colored[i]), 4, &colors[i]);
        if (result == 1) {
            has_gradient |= colors[i].count != 1;
            result = put_rows(parts, &colors[i], 4);
        }
    }
    if (result == 1 && has_gradient && !is_shaded)
        return 0; /* from where to where it goes has to be asked */
    if (result == 1 && settings->in_frame != NULL)
        result = put_space(settings, parts, mobject, dict, is_shaded);
    return result;
}

/* What `other` says: a list of bytes. */
static int put_others(struct parts *parts, PyObject *other, PyObject *mobject)
{
    PyObject *said = PyObject_CallOneArg(other, mobject);
    if (said == NULL)
        return -1;
    int result = 1;
    if (!PyList_CheckExact(said)) {
        PyErr_SetString(PyExc_TypeError, "a list of bytes is needed");
        result = -1;
    }
    for (Py_ssize_t i = 0; result == 1 && i < PyList_GET_SIZE(said); i++) {
        char *bytes;
        Py_ssize_t size;
        result = PyBytes_AsStringAndSize(PyList_GET_ITEM(said, i), &bytes, &size);
        if (result == 0)
            result = put(parts, bytes, (size_t)size);
    }
    Py_DECREF(said);
    return result;
}

static int put_mobject(struct settings *settings, struct parts *parts, PyObject *mobject, PyObject *other)
{
    struct held held = {0};
    const size_t size = parts->size, count = parts->count;
    PyObject *dict = mobject_dict(&settings->judge, mobject, PLAIN_PATH);
    int result = dict == NULL ? 0 : put_plain(settings, &held, parts, mobject, dict);
    Py_XDECREF(dict);
    held_release(&held);
    if (PyErr_Occurred())
        return -1;
    if (result == 0) {
        parts->size = size;
        parts->count = count;
        result = put_others(parts, other, mobject);
    }
    return result;
}

/* sight(mobjects, judge, known, overrides, joints, caps, space, other): the lengths of all parts, and the parts.
 *
 * `space` is None, or what is fixed in the frame (a set) and in its orientation (a dict); `other` gives the parts of a
 * mobject that is not plain. */
PyObject *native_sight(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    struct settings settings = {0};
    struct parts parts = {0};
    if (count != 8 || !PyList_CheckExact(arguments[0]) || !PyDict_CheckExact(arguments[2]) ||
        !PyTuple_CheckExact(arguments[3]) || !PyTuple_CheckExact(arguments[4]) || !PyTuple_CheckExact(arguments[5]) ||
        !(arguments[6] == Py_None ||
          (PyTuple_CheckExact(arguments[6]) && PyTuple_GET_SIZE(arguments[6]) == 2 &&
           PySet_CheckExact(PyTuple_GET_ITEM(arguments[6], 0)) &&
           PyDict_CheckExact(PyTuple_GET_ITEM(arguments[6], 1))))) {
        PyErr_SetString(PyExc_TypeError, "sight(mobjects, judge, known, overrides, joints, caps, space, other)");
        return NULL;
    }
    settings.judge = (struct judge){.function = arguments[1], .known = arguments[2], .overrides = arguments[3]};
    settings.joints = arguments[4];
    settings.caps = arguments[5];
    if (arguments[6] != Py_None) {
        settings.in_frame = PyTuple_GET_ITEM(arguments[6], 0);
        settings.fixed = PyTuple_GET_ITEM(arguments[6], 1);
    }
    int result = 1;
    for (Py_ssize_t i = 0; result == 1 && i < PyList_GET_SIZE(arguments[0]); i++)
        result = put_mobject(&settings, &parts, PyList_GET_ITEM(arguments[0], i), arguments[7]);
    PyObject *found = NULL;
    if (result == 1) /* where there is nothing, there is no memory either */
        found = Py_BuildValue("y#y#", parts.count ? (char *)parts.lengths : "",
                              (Py_ssize_t)(parts.count * sizeof *parts.lengths), parts.size ? parts.content : "",
                              (Py_ssize_t)parts.size);
    PyMem_Free(parts.content);
    PyMem_Free(parts.lengths);
    return found;
}
