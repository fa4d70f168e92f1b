/* Walks through families of mobjects: which are to be displayed, and how far from the camera. */

#include "mobject.h"
#include "space.h"

#include <math.h>

static int walk(struct judge *judge, PyObject *mobject, int only_with_points, PyObject *found, int depth)
{
    if (depth > 100)
        return 0; /* a family that contains itself, or nearly so: Manim's own walk knows what to do */
    PyObject *dict = mobject_dict(judge, mobject, PLAIN_FAMILY);
    if (dict == NULL)
        return PyErr_Occurred() ? -1 : 0;
    int result = 1;
    PyObject *points = PyDict_GetItemWithError(dict, names.points);
    PyObject *submobjects = PyDict_GetItemWithError(dict, names.submobjects);
    if (points == NULL || submobjects == NULL || !PyList_CheckExact(submobjects)) {
        result = 0;
    } else {
        Py_ssize_t length = only_with_points ? PyObject_Size(points) : 1;
        if (length < 0 || (length > 0 && PyList_Append(found, mobject) < 0))
            result = -1;
        for (Py_ssize_t i = 0; result == 1 && i < PyList_GET_SIZE(submobjects); i++)
            result = walk(judge, PyList_GET_ITEM(submobjects, i), only_with_points, found, depth + 1);
    }
    Py_DECREF(dict);
    return result;
}

/* remove_list_redundancies(): of equal elements the last one stays. Plain mobjects are equal only to themselves. */
static PyObject *without_repetitions(PyObject *found)
{
    Py_ssize_t count = PyList_GET_SIZE(found), next = count;
    PyObject *seen = PySet_New(NULL);
    PyObject *kept = PyList_New(count);
    if (seen == NULL || kept == NULL)
        goto failed;
    for (Py_ssize_t i = count - 1; i >= 0; i--) {
        PyObject *mobject = PyList_GET_ITEM(found, i);
        Py_ssize_t before = PySet_GET_SIZE(seen);
        if (PySet_Add(seen, mobject) < 0)
            goto failed;
        if (PySet_GET_SIZE(seen) > before)
            PyList_SET_ITEM(kept, --next, Py_NewRef(mobject));
    }
    Py_DECREF(seen);
    if (next > 0) { /* the first elements are still empty */
        PyObject *whole = PyList_GetSlice(found, 0, 0);
        for (Py_ssize_t i = next; whole != NULL && i < count; i++)
            if (PyList_Append(whole, PyList_GET_ITEM(kept, i)) < 0)
                Py_CLEAR(whole);
        Py_SETREF(kept, whole);
    }
    return kept;
failed:
    Py_XDECREF(seen);
    Py_XDECREF(kept);
    return NULL;
}

/* Whether all have the same z_index: 1, 0 if it has to be looked at more closely. */
static int same_z_index(PyObject *mobjects)
{
    PyObject *first = NULL;
    int same = 1;
    for (Py_ssize_t i = 0; same && i < PyList_GET_SIZE(mobjects); i++) {
        PyObject *dict = PyObject_GenericGetDict(PyList_GET_ITEM(mobjects, i), NULL);
        PyObject *z_index = dict == NULL ? NULL : PyDict_GetItemWithError(dict, names.z_index);
        same = z_index != NULL && (PyLong_CheckExact(z_index) || PyFloat_CheckExact(z_index));
        if (same && first == NULL)
            first = z_index;
        else if (same && z_index != first)
            same = PyObject_RichCompareBool(first, z_index, Py_EQ) == 1;
        Py_XDECREF(dict); /* the mobject still has it, and with it the number */
    }
    PyErr_Clear();
    return same;
}

/* family(mobjects, only_with_points, judge, known, overrides): None where a mobject is odd, else (list, in_order):
 * extract_mobject_family_members() without sorting, and whether sorting by z_index would change nothing. */
PyObject *native_family(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 5 || !PyDict_CheckExact(arguments[3]) || !PyTuple_CheckExact(arguments[4])) {
        PyErr_SetString(PyExc_TypeError, "family(mobjects, only_with_points, judge, known, overrides)");
        return NULL;
    }
    struct judge judge = {.function = arguments[2], .known = arguments[3], .overrides = arguments[4]};
    int only_with_points = PyObject_IsTrue(arguments[1]);
    PyObject *mobjects = PySequence_Fast(arguments[0], "mobjects are needed");
    PyObject *found = PyList_New(0), *result = NULL;
    int status = mobjects == NULL || found == NULL || only_with_points < 0 ? -1 : 1;
    for (Py_ssize_t i = 0; status == 1 && i < PySequence_Fast_GET_SIZE(mobjects); i++)
        status = walk(&judge, PySequence_Fast_GET_ITEM(mobjects, i), only_with_points, found, 0);
    if (status == 0)
        result = Py_NewRef(Py_None);
    if (status == 1) {
        PyObject *kept = without_repetitions(found);
        if (kept != NULL)
            result = Py_BuildValue("NO", kept, same_z_index(kept) ? Py_True : Py_False);
    }
    Py_XDECREF(mobjects);
    Py_XDECREF(found);
    return result;
}

/* depths(mobjects, rotation's last row, formula, judge, known, overrides): how near to the camera each mobject is, or
 * None where that has to be asked. As ThreeDCamera's z_key. */
PyObject *native_depths(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 6 || !PyList_CheckExact(arguments[0]) || !PyDict_CheckExact(arguments[4]) ||
        !PyTuple_CheckExact(arguments[5])) {
        PyErr_SetString(PyExc_TypeError, "depths(mobjects, row, formula, judge, known, overrides)");
        return NULL;
    }
    struct judge judge = {.function = arguments[3], .known = arguments[4], .overrides = arguments[5]};
    struct formula formula = formula_of(PyLong_AsLong(arguments[2]));
    double row[3];
    if (PyErr_Occurred() || !PyArg_ParseTuple(arguments[1], "ddd", &row[0], &row[1], &row[2]))
        return NULL;
    PyObject *mobjects = arguments[0];
    PyObject *result = PyList_New(PyList_GET_SIZE(mobjects));
    int status = result == NULL ? -1 : 1;
    for (Py_ssize_t i = 0; status == 1 && i < PyList_GET_SIZE(mobjects); i++) {
        PyObject *mobject = PyList_GET_ITEM(mobjects, i);
        PyObject *dict = mobject_dict(&judge, mobject, PLAIN_FAMILY);
        if (dict == NULL) {
            status = PyErr_Occurred() ? -1 : 0;
            break;
        }
        double depth = Py_HUGE_VAL, center[3];
        PyObject *shaded = PyDict_GetItemWithError(dict, names.shade_in_3d);
        if (shaded == NULL) {
            /* No vmobject, but a tracker of a value for instance: it has no such attribute. */
            status = !PyObject_HasAttr((PyObject *)Py_TYPE(mobject), names.shade_in_3d);
        } else if (shaded == Py_True) {
            PyObject *group = PyDict_GetItemWithError(dict, names.z_index_group);
            struct held held = {0};
            status = mobject_center(&judge, &held, group == NULL ? mobject : group, center);
            held_release(&held);
            depth = dot3(&formula, center, row);
            if (status == 1 && !isfinite(depth))
                status = 0;
        } else if (shaded != Py_False) {
            status = 0;
        }
        Py_DECREF(dict);
        PyObject *number = status == 1 ? PyFloat_FromDouble(depth) : NULL;
        if (status == 1 && number == NULL)
            status = -1;
        if (number != NULL)
            PyList_SET_ITEM(result, i, number);
    }
    if (status == 1)
        return result;
    Py_XDECREF(result);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}
