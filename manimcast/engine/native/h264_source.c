/* The picture to be coded: what of it has changed, and what of that looks as it did before. */

#include "h264_coder.h"

#include <string.h>

/* Take over the row `y` of a plane where it differs, and mark the macroblocks; `size` is that of a macroblock. */
static void take_row(Coder *k, int p, int y, const uint8_t *row)
{
    int size = p ? 8 : 16, width = p ? k->width / 2 : k->width, columns = k->slice.columns;
    uint8_t *own = k->source[p] + (ptrdiff_t)y * columns * size;
    if (!memcmp(own, row, (size_t)width))
        return;
    uint8_t *changed = k->changed + (ptrdiff_t)(y / size) * columns;
    for (int x = 0; x < columns; x++) {
        int there = width - size * x < size ? width - size * x : size;
        if (there <= 0 || !memcmp(own + size * x, row + size * x, (size_t)there))
            continue;
        changed[x] = 1;
        memcpy(own + size * x, row + size * x, (size_t)there);
        memset(own + size * x + there, row[width - 1], (size_t)(size - there));
    }
}

/* The rows below the picture, up to whole macroblocks, are its last row again. */
static void fill_below(Coder *k, int p)
{
    int size = p ? 8 : 16, height = p ? k->height / 2 : k->height;
    size_t stride = (size_t)(k->slice.columns * size);
    for (int y = height; y < k->slice.rows * size; y++)
        memcpy(k->source[p] + (size_t)y * stride, k->source[p] + (size_t)(height - 1) * stride, stride);
}

static uint32_t hash_of(const Coder *k, int column, int row)
{
    uint64_t hash = 0;
    for (int p = 0; p < 3; p++) {
        int size = p ? 8 : 16;
        ptrdiff_t stride = (ptrdiff_t)k->slice.columns * size;
        const uint8_t *at = k->source[p] + size * row * stride + size * column;
        for (int y = 0; y < size; y++)
            for (int x = 0; x < size; x += 8) {
                uint64_t samples;
                memcpy(&samples, at + y * stride + x, sizeof samples);
                hash = (hash ^ samples) * 0x9e3779b97f4a7c15u;
                hash ^= hash >> 32;
            }
    }
    return (uint32_t)hash;
}

/* Note what a macroblock that has changed looks like now. Return whether it did so in one of the pictures that motion
 * may refer to, beside the one before. */
static int came_again(Coder *k, int column, int row)
{
    Looks *looks = k->looks[row * k->slice.columns + column];
    Looks now = {hash_of(k, column, row), k->looked};
    int again = 0;
    looks[0].last = k->looked - 1; /* until now it looked as it did then */
    for (int i = 1; i <= MOST_PICTURES; i++)
        again |= looks[i].hash == now.hash && looks[i].last && looks[i].last + MOST_PICTURES >= k->looked;
    memmove(looks + 1, looks, MOST_PICTURES * sizeof *looks);
    looks[0] = now;
    return again;
}

int take_source_rows(Coder *k, const uint8_t *const planes[3], const Py_ssize_t strides[3], int first, int end, int *again)
{
    size_t count = (size_t)k->slice.columns * (size_t)k->slice.rows;
    int changed = 0;
    k->looked++;
    *again = 0;
    memset(k->changed, 0, count);
    for (int p = 0; p < 3; p++) {
        /* A row of chroma is made of two rows and one beside each. */
        int from = !p ? first : first > 2 ? first / 2 - 1 : 0, to = !p ? end : end / 2 + 1;
        if (p && to > k->height / 2)
            to = k->height / 2;
        if (first == end)
            to = from;
        for (int y = from; y < to; y++)
            take_row(k, p, y, planes[p] + y * strides[p]);
        if (to == (p ? k->height / 2 : k->height))
            fill_below(k, p);
    }
    for (size_t i = 0; i < count; i++)
        if (k->changed[i]) {
            changed++;
            *again += came_again(k, (int)i % k->slice.columns, (int)i / k->slice.columns);
        }
    return changed;
}
