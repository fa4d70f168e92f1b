/* Puts a frame back to what it was before it was drawn on: only the rows that were. */

#include "native.h"

#include <string.h>

/* restore(frame, background, drawn): copy the rows of `background` that `drawn` marks, and clear the marks. Both are
 * contiguous and of the same size. Returns (first, end) around the rows, or None if there are none. */
PyObject *native_restore(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    Py_buffer frame, background, drawn;
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "restore(frame, background, drawn)");
        return NULL;
    }
    if (PyObject_GetBuffer(arguments[0], &frame, PyBUF_WRITABLE) < 0)
        return NULL;
    if (PyObject_GetBuffer(arguments[1], &background, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&frame);
        return NULL;
    }
    if (PyObject_GetBuffer(arguments[2], &drawn, PyBUF_WRITABLE) < 0) {
        PyBuffer_Release(&frame);
        PyBuffer_Release(&background);
        return NULL;
    }
    Py_ssize_t rows = drawn.len, first = rows, end = 0;
    int fits = rows > 0 && frame.len == background.len && frame.len % rows == 0;
    if (fits) {
        size_t row_bytes = (size_t)(frame.len / rows);
        unsigned char *marks = drawn.buf;
        for (Py_ssize_t row = 0; row < rows;) {
            if (!marks[row]) {
                row++;
                continue;
            }
            Py_ssize_t stop = row;
            while (stop < rows && marks[stop])
                stop++;
            memcpy((char *)frame.buf + (size_t)row * row_bytes, (char *)background.buf + (size_t)row * row_bytes,
                   (size_t)(stop - row) * row_bytes);
            first = row < first ? row : first;
            end = stop;
            row = stop;
        }
        memset(marks, 0, (size_t)rows);
    } else {
        PyErr_SetString(PyExc_ValueError, "frame, background and rows do not fit together");
    }
    PyBuffer_Release(&frame);
    PyBuffer_Release(&background);
    PyBuffer_Release(&drawn);
    if (!fits)
        return NULL;
    if (end == 0)
        return Py_NewRef(Py_None);
    return Py_BuildValue("nn", first, end);
}
