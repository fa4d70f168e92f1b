/* Finds cairo's functions in what pycairo has loaded, and cairo's objects behind pycairo's. */

#include "cairo_api.h"

#include <dlfcn.h>
#include <string.h>

struct cairo_functions cairo;

/* As in pycairo.h: part of its documented C interface. */
typedef struct {
    PyObject_HEAD
    cairo_t *context;
    PyObject *base;
} Context;

static PyTypeObject *context_type;
static void *library; /* pycairo's, in which a search covers what it depends on as well: its own cairo */

static int find_functions(const char *path)
{
    static const char *const names[] = {
#define CAIRO_NAME(result, name, arguments) "cairo_" #name,
        CAIRO_FUNCTIONS(CAIRO_NAME)
#undef CAIRO_NAME
    };
    void *addresses[sizeof names / sizeof *names];
    library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    if (library == NULL) {
        PyErr_Format(PyExc_ImportError, "pycairo's library cannot be opened: %s", dlerror());
        return -1;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        addresses[i] = dlsym(library, names[i]);
        if (addresses[i] == NULL) {
            PyErr_Format(PyExc_ImportError, "pycairo's library has no %s", names[i]);
            dlclose(library);
            library = NULL;
            return -1;
        }
    }
    /* POSIX has function pointers and void pointers alike; the copy says so without a cast that C forbids. */
    _Static_assert(sizeof cairo == sizeof addresses, "one address for each function");
    memcpy(&cairo, addresses, sizeof cairo);
    return 0; /* the handle stays open: its functions are used for as long as the process lives */
}

int cairo_load(void)
{
    PyObject *package = NULL, *compiled = NULL, *file = NULL, *type = NULL, *version = NULL;
    int result = -1;
    package = PyImport_ImportModule("cairo");
    if (package == NULL)
        goto done;
    compiled = PyImport_ImportModule("cairo._cairo");
    if (compiled == NULL)
        goto done;
    file = PyObject_GetAttrString(compiled, "__file__");
    if (file == NULL || !PyUnicode_Check(file) || find_functions(PyUnicode_AsUTF8(file)) < 0)
        goto done;
    type = PyObject_GetAttrString(package, "Context");
    if (type == NULL)
        goto done;
    if (!PyType_Check(type) || ((PyTypeObject *)type)->tp_basicsize < (Py_ssize_t)sizeof(Context)) {
        PyErr_SetString(PyExc_ImportError, "pycairo's Context is not what it was");
        goto done;
    }
    version = PyObject_CallMethod(package, "cairo_version", NULL);
    if (version == NULL)
        goto done;
    if (PyLong_AsLong(version) != cairo.version()) {
        PyErr_SetString(PyExc_ImportError, "pycairo uses another cairo than the one that was found");
        goto done;
    }
    Py_XSETREF(context_type, (PyTypeObject *)Py_NewRef(type));
    result = 0;
done:
    if (result < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_ImportError, "pycairo was not found");
    Py_XDECREF(package);
    Py_XDECREF(compiled);
    Py_XDECREF(file);
    Py_XDECREF(type);
    Py_XDECREF(version);
    return result;
}

void *cairo_symbol(const char *name)
{
    return library == NULL ? NULL : dlsym(library, name);
}

cairo_t *cairo_of(PyObject *context)
{
    if (!PyObject_TypeCheck(context, context_type)) {
        PyErr_SetString(PyExc_TypeError, "a cairo.Context is needed");
        return NULL;
    }
    return ((Context *)context)->context;
}
