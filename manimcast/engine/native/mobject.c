/* Reading Manim's mobjects. */

#include "mobject.h"

#include <math.h>
#include <string.h>

struct names names;
static PyTypeObject *array_type;

int names_load(void)
{
#define NAME_LOAD(name) \
    if (names.name == NULL && (names.name = PyUnicode_InternFromString(#name)) == NULL) \
        return -1;
    MOBJECT_ATTRIBUTES(NAME_LOAD)
    MOBJECT_METHODS(NAME_LOAD)
#undef NAME_LOAD
    PyObject *numpy = PyImport_ImportModule("numpy");
    if (numpy == NULL)
        return -1;
    PyObject *type = PyObject_GetAttrString(numpy, "ndarray");
    Py_DECREF(numpy);
    if (type == NULL)
        return -1;
    Py_XSETREF(array_type, (PyTypeObject *)type);
    return 0;
}

/* Of a class: the interpreter's tag, which changes with anything in the class or its bases, or 0 if there is none. */
static unsigned int tag_of(PyTypeObject *type)
{
#if PY_VERSION_HEX < 0x030d0000
    if (!PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG))
        return 0;
#endif
    return type->tp_version_tag;
}

/* What was judged before of classes that have not changed since. Only read and written with Python's lock. */
static struct judgement {
    PyTypeObject *type;
    unsigned int tag, meta_tag;
    PyObject *function;
    long flags;
} judgements[256];

static struct judgement *judgement_of(PyTypeObject *type)
{
    return &judgements[((uintptr_t)type >> 6) % (sizeof judgements / sizeof *judgements)];
}

/* What the function says of a class, remembered for as long as neither it nor its metaclass changes. */
static PyObject *judged(struct judge *judge, PyTypeObject *type)
{
    struct judgement *known = judgement_of(type);
    unsigned int tag = tag_of(type), meta_tag = tag_of(Py_TYPE(type));
    if (known->type == type && known->function == judge->function && tag != 0 && known->tag == tag &&
        meta_tag != 0 && known->meta_tag == meta_tag)
        return PyLong_FromLong(known->flags);
    PyObject *flags = PyObject_CallOneArg(judge->function, (PyObject *)type);
    if (flags != NULL && tag != 0 && tag == tag_of(type) && meta_tag != 0 && meta_tag == tag_of(Py_TYPE(type)))
        *known = (struct judgement){type, tag, meta_tag, judge->function, PyLong_AsLong(flags)};
    return flags;
}

long judge_flags(struct judge *judge, PyObject *mobject)
{
    PyTypeObject *type = Py_TYPE(mobject);
    if (type == judge->last)
        return judge->flags;
    PyObject *flags = PyDict_GetItemWithError(judge->known, (PyObject *)type);
    if (flags != NULL) {
        judge->flags = PyLong_AsLong(flags);
    } else {
        if (PyErr_Occurred())
            return -1;
        flags = judged(judge, type);
        if (flags == NULL)
            return -1;
        judge->flags = PyLong_AsLong(flags);
        int failed = PyErr_Occurred() || PyDict_SetItem(judge->known, (PyObject *)type, flags) < 0;
        Py_DECREF(flags);
        if (failed)
            return -1;
    }
    judge->last = type;
    return judge->flags;
}

PyObject *mobject_dict(struct judge *judge, PyObject *mobject, long wanted)
{
    long flags = judge_flags(judge, mobject);
    if (flags < 0 || (flags & wanted) != wanted)
        return NULL;
    PyObject *dict = PyObject_GenericGetDict(mobject, NULL);
    if (dict == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(judge->overrides); i++) {
        if (PyDict_GetItemWithError(dict, PyTuple_GET_ITEM(judge->overrides, i)) != NULL || PyErr_Occurred()) {
            Py_DECREF(dict);
            return NULL;
        }
    }
    return dict;
}

int rows_of(struct held *held, PyObject *array, Py_ssize_t width, struct rows *rows)
{
    if (array == NULL || Py_TYPE(array) != array_type)
        return 0;
    if (held->count == held->room) {
        Py_ssize_t room = held->room ? 2 * held->room : 64;
        Py_buffer *buffers = PyMem_Realloc(held->buffers, (size_t)room * sizeof *buffers);
        if (buffers == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        held->buffers = buffers;
        held->room = room;
    }
    Py_buffer *buffer = &held->buffers[held->count];
    if (PyObject_GetBuffer(array, buffer, PyBUF_RECORDS_RO) < 0) {
        PyErr_Clear(); /* a dtype that the protocol does not know */
        return 0;
    }
    held->count++;
    if (buffer->itemsize != (Py_ssize_t)sizeof(double) || buffer->format == NULL || strcmp(buffer->format, "d") != 0)
        return 0;
    if (buffer->ndim != 2 || buffer->shape[1] != width)
        return 0;
    Py_ssize_t count = buffer->shape[0];
    if (count > 0 && buffer->strides[1] != (Py_ssize_t)sizeof(double))
        return 0;
    if (count > 1 && buffer->strides[0] % (Py_ssize_t)sizeof(double) != 0)
        return 0;
    if ((uintptr_t)buffer->buf % _Alignof(double) != 0)
        return 0;
    rows->data = buffer->buf;
    rows->count = count;
    rows->stride = count > 1 ? buffer->strides[0] / (Py_ssize_t)sizeof(double) : width;
    return 1;
}

void held_release(struct held *held)
{
    for (Py_ssize_t i = 0; i < held->count; i++)
        PyBuffer_Release(&held->buffers[i]);
    PyMem_Free(held->buffers);
    *held = (struct held){0};
}

int member_of(PyObject *members, PyObject *value, int *number)
{
    for (Py_ssize_t i = 0; value != NULL && i < PyTuple_GET_SIZE(members); i++) {
        PyObject *pair = PyTuple_GET_ITEM(members, i);
        if (PyTuple_GET_ITEM(pair, 0) == value) {
            *number = (int)PyLong_AsLong(PyTuple_GET_ITEM(pair, 1));
            return 1;
        }
    }
    return 0;
}

int anchors_extent(const struct rows *points, double low[3], double high[3], Py_ssize_t *found)
{
    /* get_anchors() pairs every fourth point from the first and from the fourth, strictly; one point is itself. */
    if (points->count % 4 != 0 && points->count != 1)
        return 0;
    for (Py_ssize_t i = 0; i < points->count; i++) {
        if (i % 4 == 1 || i % 4 == 2)
            continue;
        for (int axis = 0; axis < 3; axis++) {
            double value = points->data[i * points->stride + axis];
            if (!isfinite(value))
                return 0;
            if (*found == 0 || value < low[axis])
                low[axis] = value;
            if (*found == 0 || value > high[axis])
                high[axis] = value;
        }
        ++*found;
    }
    return 1;
}

static int family_extent(struct judge *judge, struct held *held, PyObject *mobject, double low[3], double high[3],
                         Py_ssize_t *found, int depth)
{
    if (depth > 100)
        return 0; /* a family that contains itself, or nearly so: Manim's own walk knows what to do */
    struct rows points;
    PyObject *dict = mobject_dict(judge, mobject, PLAIN_PATH | PLAIN_CENTER | PLAIN_FAMILY);
    if (dict == NULL)
        return PyErr_Occurred() ? -1 : 0;
    int result = 0;
    PyObject *curve = PyDict_GetItemWithError(dict, names.n_points_per_cubic_curve);
    if (curve == NULL || !PyLong_CheckExact(curve) || PyLong_AsLong(curve) != 4)
        goto done;
    result = rows_of(held, PyDict_GetItemWithError(dict, names.points), 3, &points);
    if (result <= 0)
        goto done;
    result = anchors_extent(&points, low, high, found);
    PyObject *submobjects = PyDict_GetItemWithError(dict, names.submobjects);
    if (submobjects == NULL || !PyList_CheckExact(submobjects))
        result = 0;
    for (Py_ssize_t i = 0; result == 1 && i < PyList_GET_SIZE(submobjects); i++)
        result = family_extent(judge, held, PyList_GET_ITEM(submobjects, i), low, high, found, depth + 1);
done:
    Py_DECREF(dict);
    return PyErr_Occurred() ? -1 : result;
}

int mobject_center(struct judge *judge, struct held *held, PyObject *mobject, double center[3])
{
    double low[3] = {0}, high[3] = {0};
    Py_ssize_t found = 0;
    int result = family_extent(judge, held, mobject, low, high, &found, 0);
    for (int axis = 0; result == 1 && axis < 3; axis++)
        center[axis] = found ? (low[axis] + high[axis]) / 2 : 0.0;
    return result;
}
