/* What the files of the extension share. Portable C11: no machine flags, no assumption about libc. */

#ifndef MANIMCAST_NATIVE_H
#define MANIMCAST_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <float.h>

/* Pixels must come out as from NumPy and Python, so each operation has to round to double by itself. */
#if !defined(FLT_EVAL_METHOD) || FLT_EVAL_METHOD != 0
#error "intermediate results would have more precision than double"
#endif
#ifdef __FAST_MATH__
#error "-ffast-math changes results"
#endif

/* A function so marked is compiled for several instruction sets, and the loader chooses. That takes ifuncs, which
 * glibc has and musl has not; elsewhere the compiler's baseline has to do (on arm64 that includes vectors). BASELINE
 * has it do here as well: so the tests see the code that other processors run. */
#if defined(__has_attribute) && !defined(BASELINE)
#if __has_attribute(target_clones) && defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)
#define MULTIVERSIONED __attribute__((target_clones("avx2", "default")))
#endif
#endif
#ifndef MULTIVERSIONED
#define MULTIVERSIONED
#endif

/* What Python may call; each in the file of its name. */
PyObject *native_draw(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_family(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_depths(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_restore(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_dots(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_deepcopy_mobject(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_gradients(PyObject *module, PyObject *const *arguments, Py_ssize_t count); /* pixels.c */
PyObject *native_sight(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

/* All in convert.c. */
PyObject *native_rgba_to_yuv420(PyObject *module, PyObject *arguments);
PyObject *native_rgba_to_alpha(PyObject *module, PyObject *arguments);
PyObject *native_rgba_to_argb(PyObject *module, PyObject *arguments);
PyObject *native_changed_rows(PyObject *module, PyObject *arguments);
PyObject *native_perspective(PyObject *module, PyObject *arguments);

/* All in h264_coder.c. */
PyObject *native_h264_coder(PyObject *module, PyObject *arguments);
PyObject *native_h264_begin(PyObject *module, PyObject *arguments);
PyObject *native_h264_changes(PyObject *module, PyObject *arguments);
PyObject *native_h264_code(PyObject *module, PyObject *arguments);
PyObject *native_h264_repeat(PyObject *module, PyObject *arguments);
PyObject *native_h264_reconstructed(PyObject *module, PyObject *arguments);

#endif
