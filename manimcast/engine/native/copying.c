/* Deep copies of mobjects: what copy.deepcopy makes of one, without its detour for each value.
 *
 * It does, value by value, what `patches/copying.py` does in Python, which is what runs where there is no native part.
 */

#include "native.h"

/* What stays the same throughout a copy; all borrowed. */
struct copying {
    PyObject *memo;
    PyObject *method;     /* Mobject.__deepcopy__, as the engine has it */
    PyObject *original;   /* as Manim has it */
    PyObject *deepcopy;   /* copy.deepcopy */
    PyObject *themselves; /* set of types whose values are shared */
    PyObject *plans;      /* dict: class of mobjects -> names that must not stand in an instance, or None */
    PyObject *plan;       /* function that makes such a plan */
    PyObject *array;      /* numpy.ndarray */
    PyObject *color;      /* ManimColor, or None where its values are left to copy.deepcopy */
    PyObject *color_value;
};

static PyObject *name_deepcopy, *name_new, *name_dtype, *name_hasobject, *name_original_id;

static PyObject *copied(const struct copying *copying, PyObject *value);

static int names_ready(void)
{
    if (name_original_id != NULL)
        return 1;
    name_deepcopy = PyUnicode_InternFromString("__deepcopy__");
    name_new = PyUnicode_InternFromString("__new__");
    name_dtype = PyUnicode_InternFromString("dtype");
    name_hasobject = PyUnicode_InternFromString("hasobject");
    name_original_id = PyUnicode_InternFromString("original_id");
    return name_deepcopy && name_new && name_dtype && name_hasobject && name_original_id;
}

/* What the memo has for `value`: a new reference, or NULL. `key` is its id, for later. */
static PyObject *remembered(const struct copying *copying, PyObject *value, PyObject **key)
{
    *key = PyLong_FromVoidPtr(value);
    if (*key == NULL)
        return NULL;
    PyObject *found = PyDict_GetItemWithError(copying->memo, *key);
    return found == Py_None ? NULL : Py_XNewRef(found);
}

static PyObject *by_python(const struct copying *copying, PyObject *value)
{
    return PyObject_CallFunctionObjArgs(copying->deepcopy, value, copying->memo, NULL);
}

/* 1 if an array's elements are objects, else 0; -1 for an error. */
static int has_objects(PyObject *array)
{
    PyObject *dtype = PyObject_GetAttr(array, name_dtype);
    PyObject *answer = dtype == NULL ? NULL : PyObject_GetAttr(dtype, name_hasobject);
    int result = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    Py_XDECREF(dtype);
    return result;
}

static PyObject *copied_array(const struct copying *copying, PyObject *array)
{
    PyObject *key, *result = remembered(copying, array, &key);
    if (result == NULL && !PyErr_Occurred()) {
        int objects = has_objects(array);
        if (objects > 0)
            result = by_python(copying, array);
        else if (objects == 0)
            result = PyObject_CallMethodOneArg(array, name_deepcopy, copying->memo);
        if (objects == 0 && result != NULL && PyDict_SetItem(copying->memo, key, result) < 0)
            Py_CLEAR(result);
    }
    Py_XDECREF(key);
    return result;
}

static PyObject *copied_list(const struct copying *copying, PyObject *list)
{
    PyObject *key, *result = remembered(copying, list, &key);
    if (result == NULL && !PyErr_Occurred()) {
        result = PyList_New(0);
        if (result != NULL && PyDict_SetItem(copying->memo, key, result) < 0)
            Py_CLEAR(result);
        for (Py_ssize_t i = 0; result != NULL && i < PyList_GET_SIZE(list); i++) {
            PyObject *value = Py_NewRef(PyList_GET_ITEM(list, i)), *other = copied(copying, value);
            if (other == NULL || PyList_Append(result, other) < 0)
                Py_CLEAR(result);
            Py_XDECREF(other);
            Py_DECREF(value);
        }
    }
    Py_XDECREF(key);
    return result;
}

static PyObject *copied_dict(const struct copying *copying, PyObject *dict)
{
    PyObject *key, *result = remembered(copying, dict, &key);
    if (result == NULL && !PyErr_Occurred()) {
        result = PyDict_New();
        if (result != NULL && PyDict_SetItem(copying->memo, key, result) < 0)
            Py_CLEAR(result);
        PyObject *items = result == NULL ? NULL : PyDict_Items(dict);
        if (items == NULL)
            Py_CLEAR(result);
        for (Py_ssize_t i = 0; result != NULL && i < PyList_GET_SIZE(items); i++) {
            PyObject *item = PyList_GET_ITEM(items, i);
            PyObject *name = copied(copying, PyTuple_GET_ITEM(item, 0));
            PyObject *value = name == NULL ? NULL : copied(copying, PyTuple_GET_ITEM(item, 1));
            if (value == NULL || PyDict_SetItem(result, name, value) < 0)
                Py_CLEAR(result);
            Py_XDECREF(name);
            Py_XDECREF(value);
        }
        Py_XDECREF(items);
    }
    Py_XDECREF(key);
    return result;
}

static PyObject *copied_color(const struct copying *copying, PyObject *color)
{
    PyObject *state = PyObject_GenericGetDict(color, NULL), *key = NULL, *result = NULL;
    if (state == NULL)
        return NULL;
    PyObject *value = PyDict_GetItemWithError(state, copying->color_value); /* borrowed */
    if (value == NULL && PyErr_Occurred()) {
        Py_DECREF(state);
        return NULL;
    }
    if (value == NULL || PyDict_GET_SIZE(state) != 1 || (PyObject *)Py_TYPE(value) != copying->array) {
        Py_DECREF(state);
        return by_python(copying, color);
    }
    result = remembered(copying, color, &key);
    if (result == NULL && !PyErr_Occurred()) {
        PyObject *other = NULL, *dict = NULL;
        result = PyObject_CallMethodOneArg(copying->color, name_new, copying->color);
        if (result != NULL && PyDict_SetItem(copying->memo, key, result) == 0 &&
            (other = copied_array(copying, value)) != NULL && (dict = PyObject_GenericGetDict(result, NULL)) != NULL &&
            PyDict_SetItem(dict, copying->color_value, other) == 0) {
            /* whole */
        } else {
            Py_CLEAR(result);
        }
        Py_XDECREF(other);
        Py_XDECREF(dict);
    }
    Py_XDECREF(key);
    Py_DECREF(state);
    return result;
}

/* Whether this mobject can be copied attribute by attribute: 1, 0, or -1 for an error. */
static int is_plain(const struct copying *copying, PyObject *mobject, PyObject *attributes)
{
    PyTypeObject *type = Py_TYPE(mobject);
    if (type->tp_setattro != PyObject_GenericSetAttr)
        return 0;
    PyObject *plan = PyDict_GetItemWithError(copying->plans, (PyObject *)type);
    if (plan == NULL) {
        if (PyErr_Occurred())
            return -1;
        PyObject *made = PyObject_CallOneArg(copying->plan, (PyObject *)type);
        if (made == NULL)
            return -1;
        int failed = PyDict_SetItem(copying->plans, (PyObject *)type, made);
        Py_DECREF(made); /* the dictionary has it */
        if (failed < 0)
            return -1;
        plan = made;
    }
    if (!PyTuple_CheckExact(plan))
        return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(plan); i++) {
        int there = PyDict_Contains(attributes, PyTuple_GET_ITEM(plan, i));
        if (there != 0)
            return there < 0 ? -1 : 0;
    }
    return 1;
}

static PyObject *copied_mobject(const struct copying *copying, PyObject *mobject)
{
    PyObject *attributes = PyObject_GenericGetDict(mobject, NULL), *result = NULL, *copy = NULL, *key = NULL;
    if (attributes == NULL)
        return NULL;
    int plain = is_plain(copying, mobject, attributes);
    if (plain < 1) {
        Py_DECREF(attributes);
        return plain < 0 ? NULL : PyObject_CallFunctionObjArgs(copying->original, mobject, copying->memo, NULL);
    }
    key = PyLong_FromVoidPtr(mobject);
    if (key == NULL || (result = PyObject_CallMethodOneArg((PyObject *)Py_TYPE(mobject), name_new,
                                                           (PyObject *)Py_TYPE(mobject))) == NULL)
        goto failed;
    if (PyDict_SetItem(copying->memo, key, result) < 0 || (copy = PyObject_GenericGetDict(result, NULL)) == NULL ||
        PyDict_Update(copy, attributes) < 0)
        goto failed;
    PyObject *name, *value;
    Py_ssize_t place = 0, size = PyDict_GET_SIZE(attributes);
    while (PyDict_Next(attributes, &place, &name, &value)) {
        Py_INCREF(name);
        Py_INCREF(value);
        PyObject *other = copied(copying, value);
        int failed = other == NULL || (other != value && PyDict_SetItem(copy, name, other) < 0);
        Py_XDECREF(other);
        Py_DECREF(name);
        Py_DECREF(value);
        if (!failed && PyDict_GET_SIZE(attributes) != size) {
            PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
            failed = 1;
        }
        if (failed)
            goto failed;
    }
    PyObject *id = PyObject_Str(key);
    int failed = id == NULL || PyDict_SetItem(copy, name_original_id, id) < 0;
    Py_XDECREF(id);
    if (failed)
        goto failed;
    Py_DECREF(key);
    Py_DECREF(copy);
    Py_DECREF(attributes);
    return result;
failed:
    Py_XDECREF(key);
    Py_XDECREF(copy);
    Py_XDECREF(result);
    Py_DECREF(attributes);
    return NULL;
}

/* Whether copy.deepcopy would call our method of this value, and nothing else: 1, 0, or -1 for an error. */
static int is_ours(const struct copying *copying, PyObject *value)
{
    PyObject *method = PyObject_GetAttr((PyObject *)Py_TYPE(value), name_deepcopy);
    if (method == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(method);
    if (method != copying->method || Py_TYPE(value)->tp_getattro != PyObject_GenericGetAttr)
        return 0;
    PyObject *dict = PyObject_GenericGetDict(value, NULL);
    if (dict == NULL)
        return -1;
    int there = PyDict_Contains(dict, name_deepcopy);
    Py_DECREF(dict);
    return there < 0 ? -1 : !there;
}

/* copy._keep_alive(): the memo holds what was copied, so that no other object gets its id. */
static int keep_alive(const struct copying *copying, PyObject *value)
{
    PyObject *key = PyLong_FromVoidPtr(copying->memo);
    if (key == NULL)
        return -1;
    int failed = -1;
    PyObject *kept = PyDict_GetItemWithError(copying->memo, key);
    if (kept != NULL && PyList_CheckExact(kept)) {
        failed = PyList_Append(kept, value);
    } else if (kept == NULL && !PyErr_Occurred()) {
        PyObject *list = PyList_New(0);
        if (list != NULL && PyList_Append(list, value) == 0)
            failed = PyDict_SetItem(copying->memo, key, list);
        Py_XDECREF(list);
    }
    Py_DECREF(key);
    return failed;
}

/* What copy.deepcopy() makes of a value; a new reference. */
static PyObject *copied(const struct copying *copying, PyObject *value)
{
    PyObject *type = (PyObject *)Py_TYPE(value), *result;
    int shared = PySet_Contains(copying->themselves, type);
    if (shared != 0)
        return shared < 0 ? NULL : Py_NewRef(value);
    if (type == copying->array)
        return copied_array(copying, value);
    if (Py_EnterRecursiveCall(" while copying a mobject"))
        return NULL;
    if (PyList_CheckExact(value)) {
        result = copied_list(copying, value);
    } else if (PyDict_CheckExact(value)) {
        result = copied_dict(copying, value);
    } else if (type == copying->color) {
        result = copied_color(copying, value);
    } else {
        int ours = is_ours(copying, value);
        if (ours > 0) {
            PyObject *key;
            result = remembered(copying, value, &key);
            if (result == NULL && !PyErr_Occurred()) {
                result = copied_mobject(copying, value);
                if (result != NULL && keep_alive(copying, value) < 0)
                    Py_CLEAR(result);
            }
            Py_XDECREF(key);
        } else {
            result = ours < 0 ? NULL : by_python(copying, value);
        }
    }
    Py_LeaveRecursiveCall();
    return result;
}

/* deepcopy_mobject(mobject, memo, method, original, deepcopy, themselves, plans, plan, array, color, color_value) */
PyObject *native_deepcopy_mobject(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 11 || !PyDict_Check(arguments[1]) || !PyAnySet_Check(arguments[5]) || !PyDict_Check(arguments[6])) {
        PyErr_SetString(PyExc_TypeError, "deepcopy_mobject(mobject, memo, method, original, deepcopy, themselves, "
                                         "plans, plan, array, color, color_value)");
        return NULL;
    }
    if (!names_ready())
        return NULL;
    struct copying copying = {arguments[1], arguments[2], arguments[3], arguments[4], arguments[5],
                              arguments[6], arguments[7], arguments[8], arguments[9], arguments[10]};
    return copied_mobject(&copying, arguments[0]);
}
