/* The memory of a coder. */

#include "h264_coder.h"

void coder_free(Coder *k)
{
    if (!k)
        return;
    pictures_free(k);
    for (int p = 0; p < 3; p++)
        PyMem_RawFree(k->source[p]);
    PyMem_RawFree(k->slice.macroblocks);
    PyMem_RawFree(k->slice.coded);
    PyMem_RawFree(k->slice.moving);
    PyMem_RawFree(k->changed);
    PyMem_RawFree(k->waits);
    PyMem_RawFree(k->past);
    PyMem_RawFree(k->touched);
    PyMem_RawFree(k->looks);
    PyMem_RawFree(k->coded_in);
    PyMem_RawFree(k->patch_of);
    PyMem_RawFree(k->patches);
    PyMem_RawFree(k);
}

Coder *coder_new(int width, int height)
{
    Coder *k = PyMem_RawCalloc(1, sizeof *k);
    if (!k)
        return NULL;
    Slice *s = &k->slice;
    k->width = width;
    k->height = height;
    s->columns = (width + 15) / 16;
    s->rows = (height + 15) / 16;
    s->stride = s->columns + 1;
    size_t count = (size_t)s->columns * (size_t)s->rows;
    size_t places = (size_t)s->stride * ((size_t)s->rows + 1) + 1; /* one behind the last row */
    int missing = !pictures_new(k);
    for (int p = 0; p < 3; p++) {
        k->source[p] = PyMem_RawCalloc(count, p ? 64 : 256);
        missing |= !k->source[p];
    }
    s->macroblocks = PyMem_RawCalloc(places, sizeof *s->macroblocks);
    s->coded = PyMem_RawCalloc(places, 1);
    s->moving = PyMem_RawCalloc(places, 1);
    k->changed = PyMem_RawCalloc(count, 1);
    k->waits = PyMem_RawCalloc(count, 1);
    k->past = PyMem_RawCalloc(count, sizeof *k->past);
    k->patch_of = PyMem_RawCalloc(count, sizeof *k->patch_of);
    k->touched = PyMem_RawCalloc(count, sizeof *k->touched);
    k->looks = PyMem_RawCalloc(count, sizeof *k->looks);
    k->coded_in = PyMem_RawCalloc(count, sizeof *k->coded_in);
    if (missing || !s->macroblocks || !s->coded || !s->moving || !k->changed || !k->waits || !k->past ||
        !k->patch_of || !k->touched || !k->coded_in || !k->looks) {
        coder_free(k);
        return NULL;
    }
    for (int y = 0; y < s->rows; y++)
        for (int x = 0; x < s->columns; x++)
            forget(s, (y + 1) * s->stride + x + 1);
    return k;
}
