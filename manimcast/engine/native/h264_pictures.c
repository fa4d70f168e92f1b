/* The pictures that motion may refer to: the last few, as a decoder has them, 8.2.5.3 (sliding window).
 *
 * Each has memory of its own. From one picture to the next little changes, so that memory which is free again is
 * brought up to date by copying what was coded since, not as a whole. */

#include "h264_coder.h"

#include <string.h>

static int margin_of(int plane)
{
    return plane ? MARGIN / 2 : MARGIN;
}

static ptrdiff_t stride_of(const Reference *r, int plane)
{
    return plane ? r->chroma_stride : r->stride;
}

static uint8_t *samples_of(Store *s, int plane)
{
    return s->planes[plane] + margin_of(plane) * (stride_of(&s->reference, plane) + 1);
}

static size_t size_of(const Reference *r, int plane)
{
    return (size_t)((plane ? r->height / 2 : r->height) + 2 * margin_of(plane)) * (size_t)stride_of(r, plane);
}

int pictures_new(Coder *k)
{
    k->slice.pictures = k->kept = k->to_keep = 1;
    for (int i = 0; i < MOST_PICTURES; i++) {
        Reference *r = &k->stores[i].reference;
        r->width = 16 * k->slice.columns;
        r->height = 16 * k->slice.rows;
        r->stride = r->width + 2 * MARGIN;
        r->chroma_stride = r->width / 2 + MARGIN;
        for (int p = 0; p < 3; p++) {
            k->stores[i].planes[p] = PyMem_RawCalloc(size_of(r, p), 1);
            if (!k->stores[i].planes[p])
                return 0;
            r->planes[p] = samples_of(&k->stores[i], p);
        }
    }
    return 1;
}

void pictures_free(Coder *k)
{
    for (int i = 0; i < MOST_PICTURES; i++)
        for (int p = 0; p < 3; p++)
            PyMem_RawFree(k->stores[i].planes[p]);
}

/* Extend the rows of macroblocks from `first` to before `end` into the margin at both sides, and the first and last row
 * above and below. */
static void extend(Store *s, int first, int end)
{
    for (int p = 0; p < 3; p++) {
        int size = p ? 8 : 16, margin = margin_of(p);
        int width = s->reference.width / (p ? 2 : 1), height = s->reference.height / (p ? 2 : 1);
        ptrdiff_t stride = stride_of(&s->reference, p);
        uint8_t *at = samples_of(s, p);
        for (int y = size * first; y < size * end; y++) {
            uint8_t *line = at + y * stride;
            memset(line - margin, line[0], (size_t)margin);
            memset(line + width, line[width - 1], (size_t)margin);
        }
        for (int i = 1; i <= margin; i++) {
            if (first == 0)
                memcpy(at - margin - i * stride, at - margin, (size_t)(width + 2 * margin));
            if (size * end == height)
                memcpy(at - margin + (height - 1 + i) * stride, at - margin + (height - 1) * stride, (size_t)(width + 2 * margin));
        }
    }
}

void pictures_begin(Coder *k, const uint8_t *const planes[3], const Py_ssize_t strides[3])
{
    Store *s = &k->stores[0];
    for (int p = 0; p < 3; p++) {
        int width = s->reference.width / (p ? 2 : 1), height = s->reference.height / (p ? 2 : 1);
        for (int y = 0; y < height; y++)
            memcpy(samples_of(s, p) + y * stride_of(&s->reference, p), planes[p] + y * strides[p], (size_t)width);
    }
    extend(s, 0, k->slice.rows);
    k->order[0] = 0;
    k->kept = 1;
    s->number = k->begun = ++k->number;
    for (int i = 0; i < k->slice.columns * k->slice.rows; i++)
        k->coded_in[i] = k->number;
}

/* Return memory that no picture is in which stays after the next one: that of the picture before, when none does. */
static int free_store(const Coder *k)
{
    if (k->to_keep == 1)
        return k->order[0];
    int used = 0, stay = k->kept < k->to_keep ? k->kept : k->to_keep - 1;
    for (int i = 0; i < stay; i++)
        used |= 1 << k->order[i];
    int found = 0;
    while (used >> found & 1)
        found++;
    return found;
}

/* The rows of macroblocks to be extended, when that one was written. */
static void note_edge(const Slice *s, int column, int row, int *first, int *end)
{
    if (column && row && column != s->columns - 1 && row != s->rows - 1)
        return;
    *first = row < *first ? row : *first;
    *end = row + 1 > *end ? row + 1 : *end;
}

static void write_samples(Store *s, int column, int row, const uint8_t *const from[3], const ptrdiff_t strides[3])
{
    for (int p = 0; p < 3; p++) {
        int size = p ? 8 : 16;
        ptrdiff_t stride = stride_of(&s->reference, p);
        uint8_t *to = samples_of(s, p) + size * row * stride + size * column;
        for (int y = 0; y < size; y++)
            memcpy(to + y * stride, from[p] + y * strides[p], (size_t)size);
    }
}

/* Copy what was coded since the picture that is there, out of the one before. */
static void bring_up_to_date(Coder *k, Store *s, int *first, int *end)
{
    const Slice *slice = &k->slice;
    const Reference *r = picture_before(k, 0);
    const ptrdiff_t strides[3] = {r->stride, r->chroma_stride, r->chroma_stride};
    if (s->number < k->begun) { /* everything, with the margin */
        for (int p = 0; p < 3; p++)
            memcpy(s->planes[p], k->stores[k->order[0]].planes[p], size_of(r, p));
        return;
    }
    for (int row = 0; row < slice->rows; row++)
        for (int column = 0; column < slice->columns; column++) {
            if (k->coded_in[row * slice->columns + column] <= s->number)
                continue;
            const uint8_t *from[3];
            for (int p = 0; p < 3; p++)
                from[p] = r->planes[p] + (p ? 8 : 16) * (row * strides[p] + column);
            write_samples(s, column, row, from, strides);
            note_edge(slice, column, row, first, end);
        }
}

void pictures_advance(Coder *k)
{
    int place = k->order[0];
    if (k->patch_count) {
        int first = k->slice.rows, end = 0;
        place = free_store(k);
        Store *s = &k->stores[place];
        bring_up_to_date(k, s, &first, &end);
        s->number = ++k->number;
        for (int i = 0; i < k->patch_count; i++) {
            const Patch *patch = &k->patches[i];
            int at = patch->row * k->slice.columns + patch->column;
            const uint8_t *from[3] = {patch->samples, patch->samples + 256, patch->samples + 320};
            write_samples(s, patch->column, patch->row, from, (const ptrdiff_t[3]){16, 8, 8});
            note_edge(&k->slice, patch->column, patch->row, &first, &end);
            k->patch_of[at] = 0;
            k->coded_in[at] = k->number;
        }
        k->patch_count = 0;
        if (first < end)
            extend(s, first, end);
    }
    k->kept = k->kept < k->to_keep ? k->kept + 1 : k->to_keep;
    memmove(k->order + 1, k->order, (size_t)(k->kept - 1) * sizeof *k->order);
    k->order[0] = place;
}
