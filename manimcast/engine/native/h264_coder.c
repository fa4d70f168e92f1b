/* A coder of P pictures, as Python has it: it finds out which macroblocks of a picture changed, has the slice written,
 * and makes a unit of it. */

#include "h264_coder.h"
#include "native.h"

#include <stdlib.h>
#include <string.h>

static const char NAME[] = "manimcast.h264";

static void destroy(PyObject *capsule)
{
    coder_free(PyCapsule_GetPointer(capsule, NAME));
}

static Coder *coder_of(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, NAME);
}

PyObject *native_h264_coder(PyObject *module, PyObject *args)
{
    int width, height;
    if (!PyArg_ParseTuple(args, "ii:h264_coder", &width, &height))
        return NULL;
    if (width <= 0 || height <= 0 || width > 16384 || height > 16384 || width % 2 || height % 2) {
        PyErr_SetString(PyExc_ValueError, "a size that is not handled");
        return NULL;
    }
    Coder *k = coder_new(width, height);
    if (!k)
        return PyErr_NoMemory();
    PyObject *capsule = PyCapsule_New(k, NAME, destroy);
    if (!capsule)
        coder_free(k);
    return capsule;
}

/* Planes of a picture as Python hands them over. */
typedef struct {
    Py_buffer buffers[3];
    Py_ssize_t strides[3];
} Planes;

static void release(Planes *p)
{
    for (int i = 0; i < 3; i++)
        if (p->buffers[i].obj)
            PyBuffer_Release(&p->buffers[i]);
}

static int large_enough(const Planes *planes, int width, int height)
{
    for (int p = 0; p < 3; p++) {
        Py_ssize_t w = p ? width / 2 : width, h = p ? height / 2 : height;
        if (planes->strides[p] < w || planes->buffers[p].len < planes->strides[p] * (h - 1) + w)
            return 0;
    }
    return 1;
}

PyObject *native_h264_begin(PyObject *module, PyObject *args)
{
    PyObject *capsule;
    Planes d = {0};
    int offset_u, offset_v, transform8;
    if (!PyArg_ParseTuple(args, "Oiipy*ny*ny*n:h264_begin", &capsule, &offset_u, &offset_v, &transform8, &d.buffers[0], &d.strides[0], &d.buffers[1], &d.strides[1], &d.buffers[2], &d.strides[2]))
        return NULL;
    Coder *k = coder_of(capsule);
    PyObject *result = NULL;
    if (k && (!large_enough(&d, 16 * k->slice.columns, 16 * k->slice.rows) || abs(offset_u) > 12 || abs(offset_v) > 12))
        PyErr_SetString(PyExc_ValueError, "the planes are too small, or an offset is too large");
    else if (k) {
        k->qp_offsets[0] = offset_u;
        k->qp_offsets[1] = offset_v;
        k->slice.has_transform8 = transform8;
        Py_BEGIN_ALLOW_THREADS
        pictures_begin(k, (const uint8_t *const[3]){d.buffers[0].buf, d.buffers[1].buf, d.buffers[2].buf}, d.strides);
        memset(k->waits, 0, (size_t)k->slice.columns * (size_t)k->slice.rows);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    release(&d);
    return result;
}

PyObject *native_h264_changes(PyObject *module, PyObject *args)
{
    PyObject *capsule;
    Planes s = {0};
    int first, end;
    if (!PyArg_ParseTuple(args, "Oy*ny*ny*nii:h264_changes", &capsule, &s.buffers[0], &s.strides[0], &s.buffers[1],
                          &s.strides[1], &s.buffers[2], &s.strides[2], &first, &end))
        return NULL;
    Coder *k = coder_of(capsule);
    PyObject *result = NULL;
    if (k && (!large_enough(&s, k->width, k->height) || first < 0 || end > k->height || first > end))
        PyErr_SetString(PyExc_ValueError, "the planes are too small, or the rows not of the picture");
    else if (k) {
        int changed, again;
        Py_BEGIN_ALLOW_THREADS
        changed = take_source_rows(k, (const uint8_t *const[3]){s.buffers[0].buf, s.buffers[1].buf, s.buffers[2].buf}, s.strides,
                                   first, end, &again);
        Py_END_ALLOW_THREADS
        result = Py_BuildValue("ii", changed, again);
    }
    release(&s);
    return result;
}

/* 7.4.1: no start code may appear within the unit. `to` has room for half as much again. */
static size_t escape(const uint8_t *from, size_t size, uint8_t *to)
{
    uint8_t *first = to;
    int zeros = 0;
    for (size_t i = 0; i < size; i++) {
        if (zeros >= 2 && from[i] <= 3) {
            *to++ = 3;
            zeros = 0;
        }
        *to++ = from[i];
        zeros = from[i] ? 0 : zeros + 1;
    }
    return (size_t)(to - first);
}

PyObject *native_h264_code(PyObject *module, PyObject *args)
{
    PyObject *capsule, *result = NULL;
    Py_buffer head;
    Plan plan;
    int pictures, keep;
    if (!PyArg_ParseTuple(args, "Oy*iiiii:h264_code", &capsule, &head, &pictures, &keep, &plan.qp, &plan.refined_qp, &plan.wait))
        return NULL;
    Coder *k = coder_of(capsule);
    if (!k)
        goto done;
    if (plan.qp < LOWEST_QP || plan.qp > HIGHEST_QP || plan.refined_qp < LOWEST_QP || plan.refined_qp > HIGHEST_QP ||
        plan.wait < 0 || plan.wait > 255 || head.len > 1024) {
        PyErr_SetString(PyExc_ValueError, "a quantiser, a time or a head that cannot be");
        goto done;
    }
    if (pictures != k->kept || keep < 1 || keep > MOST_PICTURES) {
        PyErr_SetString(PyExc_ValueError, "not as many pictures as there are before, or too many to keep");
        goto done;
    }
    k->slice.pictures = pictures;
    k->to_keep = keep;
    Output out = {PyMem_RawMalloc(4 * MOST_BYTES), 4 * MOST_BYTES};
    uint8_t *unit = NULL;
    size_t size = 0;
    Py_BEGIN_ALLOW_THREADS
    if (out.memory)
        size = code_picture(k, &plan, &out);
    if (size && (unit = PyMem_RawMalloc((size + (size_t)head.len) * 3 / 2 + 16))) {
        /* The head is not escaped on its own: zeros at its end may go on in the data. */
        uint8_t *whole = PyMem_RawMalloc(size + (size_t)head.len);
        if (whole) {
            memcpy(whole, head.buf, (size_t)head.len);
            memcpy(whole + head.len, out.memory, size);
            size = escape(whole, size + (size_t)head.len, unit);
        } else {
            size = 0;
        }
        PyMem_RawFree(whole);
    }
    Py_END_ALLOW_THREADS
    result = size && unit ? PyBytes_FromStringAndSize((const char *)unit, (Py_ssize_t)size) : PyErr_NoMemory();
    PyMem_RawFree(out.memory);
    PyMem_RawFree(unit);
done:
    PyBuffer_Release(&head);
    return result;
}

PyObject *native_h264_repeat(PyObject *module, PyObject *args)
{
    PyObject *capsule;
    if (!PyArg_ParseTuple(args, "O:h264_repeat", &capsule))
        return NULL;
    Coder *k = coder_of(capsule);
    if (!k)
        return NULL;
    pictures_advance(k);
    Py_RETURN_NONE;
}

PyObject *native_h264_reconstructed(PyObject *module, PyObject *args)
{
    PyObject *capsule;
    if (!PyArg_ParseTuple(args, "O:h264_reconstructed", &capsule))
        return NULL;
    Coder *k = coder_of(capsule);
    if (!k)
        return NULL;
    size_t luma = (size_t)k->width * (size_t)k->height;
    PyObject *result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(luma * 3 / 2));
    if (!result)
        return NULL;
    char *to = PyBytes_AS_STRING(result);
    const Reference *r = picture_before(k, 0);
    for (int p = 0; p < 3; p++) {
        int width = p ? k->width / 2 : k->width, height = p ? k->height / 2 : k->height;
        for (int y = 0; y < height; y++, to += width)
            memcpy(to, r->planes[p] + y * (p ? r->chroma_stride : r->stride), (size_t)width);
    }
    return result;
}
