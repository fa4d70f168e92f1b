/* The extension module: the table of what Python may call. Each function lives in a file of its own. */

#include "cairo_api.h"
#include "mobject.h"

#define FUNCTION(name, doc) {#name, (PyCFunction)(void (*)(void))native_##name, METH_FASTCALL, doc}
#define CONVERSION(name, doc) {#name, native_##name, METH_VARARGS, #name doc}

static PyMethodDef methods[] = {
    FUNCTION(draw, "Draw vmobjects in a cairo context."),
    FUNCTION(family, "The members of families that are to be displayed."),
    FUNCTION(depths, "How near to the camera mobjects are."),
    FUNCTION(restore, "Put rows of a frame back to the background."),
    FUNCTION(dots, "Dot products by a given formula."),
    FUNCTION(deepcopy_mobject, "A deep copy of a mobject, as copy.deepcopy makes it."),
    FUNCTION(sight, "What drawing reads of vmobjects, as bytes."),
    FUNCTION(gradients, "(ours: bool): whether cairo's gradients are laid here from now on"),
    CONVERSION(rgba_to_yuv420, "(pixels, width, height, first, end, exact, y, y_stride, u, v, chroma_stride)"),
    CONVERSION(rgba_to_alpha, "(pixels, width, height, first, end, alpha, stride)"),
    CONVERSION(rgba_to_argb, "(pixels, width, height, first, end, argb, stride)"),
    CONVERSION(changed_rows, "(before, after, rows): the rows from the first to the last that differs, or (0, 0)"),
    CONVERSION(perspective, "(pixels, width, height, coefficients, left, top, width, height, out)"),
    CONVERSION(h264_coder, "(width, height): a coder of P pictures"),
    CONVERSION(h264_begin, "(coder, u_offset, v_offset, transform8, y, stride, u, stride, v, stride): what a decoder has, whole macroblocks"),
    CONVERSION(h264_changes, "(coder, y, stride, u, stride, v, stride, first, end): how many macroblocks changed, and how many of them look as they did a few pictures ago"),
    CONVERSION(h264_code, "(coder, head, pictures, keep, qp, refined_qp, wait): the unit of the picture whose changes were found"),
    CONVERSION(h264_repeat, "(coder): the next picture is the same as the one before"),
    CONVERSION(h264_reconstructed, "(coder): what a decoder has, as it is shown, plane after plane"),
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    if (names_load() < 0 || cairo_load() < 0)
        return -1;
    return PyModule_AddStringConstant(module, "SOURCES", SOURCES);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "manimcast.engine.native._native",
    .m_doc = "What is too slow in Python: drawing paths, shading faces, converting frames.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
