/* Intra prediction: 8.3.1.2 (4x4), 8.3.3 (16x16), 8.3.4 (chroma). */

#include "h264.h"

#include <string.h>

static uint8_t clip(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* 8.3.1.1: the lesser of the modes at the left and above; DC where a macroblock is not there. `within` has the modes of
 * the macroblock's own blocks before, row by row. */
int expected_mode(const Slice *s, int at, int x, int y, const uint8_t *within)
{
    const Macroblock *left = &s->macroblocks[at - 1], *above = &s->macroblocks[at - s->stride];
    if ((!x && !left->present) || (!y && !above->present))
        return MODE_DC;
    int a = x ? within[4 * y + x - 1] : left->modes[4 * y + 3], b = y ? within[4 * y - 4 + x] : above->modes[12 + x];
    return a < b ? a : b;
}

/* The plane through what is around, for a square of `size`: 8.3.3.4 and 8.3.4.4. `at` is its first sample. */
static void predict_plane(const uint8_t *at, int size, uint8_t *samples)
{
    const uint8_t *above = at - AROUND, *left = at - 1;
    int across = 0, down = 0, half = size / 2;
    for (int i = 0; i < half; i++) {
        across += (i + 1) * (above[half + i] - above[half - 2 - i]);
        down += (i + 1) * (left[(half + i) * AROUND] - left[(half - 2 - i) * AROUND]);
    }
    int factor = size == 16 ? 5 : 34, a = 16 * (left[(size - 1) * AROUND] + above[size - 1]);
    int b = (factor * across + 32) >> 6, c = (factor * down + 32) >> 6;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
            samples[y * size + x] = clip((a + b * (x - half + 1) + c * (y - half + 1) + 16) >> 5);
}

static int sum_above(const uint8_t *at, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += at[i - AROUND];
    return sum;
}

static int sum_left(const uint8_t *at, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += at[i * AROUND - 1];
    return sum;
}

static void repeat_above(const uint8_t *at, int size, uint8_t *samples)
{
    for (int y = 0; y < size; y++)
        memcpy(samples + y * size, at - AROUND, (size_t)size);
}

static void repeat_left(const uint8_t *at, int size, uint8_t *samples)
{
    for (int y = 0; y < size; y++)
        memset(samples + y * size, at[y * AROUND - 1], (size_t)size);
}

int predict16(const Surroundings *s, int mode, uint8_t *samples)
{
    const uint8_t *at = s->luma + AROUND + 1;
    if (mode == 0 && s->above) {
        repeat_above(at, 16, samples);
    } else if (mode == 1 && s->left) {
        repeat_left(at, 16, samples);
    } else if (mode == MODE_DC) {
        int sum = (s->above ? sum_above(at, 16) : 0) + (s->left ? sum_left(at, 16) : 0);
        int value = s->above && s->left ? (sum + 16) >> 5 : s->above || s->left ? (sum + 8) >> 4 : 128;
        memset(samples, value, 256);
    } else if (mode == 3 && s->above && s->left && s->corner) {
        predict_plane(at, 16, samples);
    } else {
        return 0;
    }
    return 1;
}

static void predict_chroma_dc(const Surroundings *s, const uint8_t *at, uint8_t *samples)
{
    for (int i = 0; i < 4; i++) {
        int x = 4 * (i & 1), y = 4 * (i >> 1);
        int above = s->above ? sum_above(at + x, 4) : 0, left = s->left ? sum_left(at + y * AROUND, 4) : 0, value;
        if (x && !y && s->above)
            value = (above + 2) >> 2;
        else if (!x && y && s->left)
            value = (left + 2) >> 2;
        else if (s->above && s->left)
            value = (above + left + 4) >> 3;
        else
            value = s->above || s->left ? (above + left + 2) >> 2 : 128;
        for (int row = 0; row < 4; row++)
            memset(samples + 8 * (y + row) + x, value, 4);
    }
}

int predict_chroma8(const Surroundings *s, int mode, uint8_t *samples)
{
    for (int p = 0; p < 2; p++, samples += 64) {
        const uint8_t *at = s->chroma[p] + AROUND + 1;
        if (mode == 0)
            predict_chroma_dc(s, at, samples);
        else if (mode == 1 && s->left)
            repeat_left(at, 8, samples);
        else if (mode == 2 && s->above)
            repeat_above(at, 8, samples);
        else if (mode == 3 && s->above && s->left && s->corner)
            predict_plane(at, 8, samples);
        else
            return 0;
    }
    return 1;
}

/* A 4x4 block is predicted from 13 samples around it in one line, from below at the left (0 is p[-1, 3]) over the corner
 * (4) to the right (12): by one of them, by the mean of two neighbours, or by three, weighted 1 2 1. Each entry says by
 * which: E(i), TWO(i) of i and i + 1, THREE(i) around i. Equations 8-46 to 8-71. */
#define E(i) (i)
#define TWO(i) (16 + (i))
#define THREE(i) (32 + (i))
static const uint8_t of_mode[MODES4][16] = {
    {E(5), E(6), E(7), E(8), E(5), E(6), E(7), E(8), E(5), E(6), E(7), E(8), E(5), E(6), E(7), E(8)},
    {E(3), E(3), E(3), E(3), E(2), E(2), E(2), E(2), E(1), E(1), E(1), E(1), E(0), E(0), E(0), E(0)},
    {E(13), E(13), E(13), E(13), E(13), E(13), E(13), E(13), E(13), E(13), E(13), E(13), E(13), E(13), E(13), E(13)},
    {THREE(6), THREE(7), THREE(8), THREE(9), THREE(7), THREE(8), THREE(9), THREE(10), THREE(8), THREE(9), THREE(10),
     THREE(11), THREE(9), THREE(10), THREE(11), THREE(12)},
    {THREE(4), THREE(5), THREE(6), THREE(7), THREE(3), THREE(4), THREE(5), THREE(6), THREE(2), THREE(3), THREE(4),
     THREE(5), THREE(1), THREE(2), THREE(3), THREE(4)},
    {TWO(4), TWO(5), TWO(6), TWO(7), THREE(4), THREE(5), THREE(6), THREE(7), THREE(3), TWO(4), TWO(5), TWO(6),
     THREE(2), THREE(4), THREE(5), THREE(6)},
    {TWO(3), THREE(4), THREE(5), THREE(6), TWO(2), THREE(3), TWO(3), THREE(4), TWO(1), THREE(2), TWO(2), THREE(3),
     TWO(0), THREE(1), TWO(1), THREE(2)},
    {TWO(5), TWO(6), TWO(7), TWO(8), THREE(6), THREE(7), THREE(8), THREE(9), TWO(6), TWO(7), TWO(8), TWO(9), THREE(7),
     THREE(8), THREE(9), THREE(10)},
    {TWO(2), THREE(2), TWO(1), THREE(1), TWO(1), THREE(1), TWO(0), THREE(0), TWO(0), THREE(0), E(0), E(0), E(0), E(0),
     E(0), E(0)}};

void prepare4x4(const uint8_t *at, int has_left, int has_above, int has_corner, int has_right, Line *line)
{
    uint8_t e[15]; /* one more at each end, the same as the next */
    for (int i = 0; i < 4; i++)
        e[1 + i] = has_left ? at[(3 - i) * AROUND - 1] : 0;
    e[5] = has_corner ? at[-AROUND - 1] : 0;
    for (int i = 0; i < 8; i++)
        e[6 + i] = !has_above ? 0 : i < 4 || has_right ? at[i - AROUND] : at[3 - AROUND];
    e[0] = e[1];
    e[14] = e[13];
    for (int i = 0; i < 13; i++) {
        line->values[E(i)] = e[i + 1];
        line->values[TWO(i)] = (uint8_t)((e[i + 1] + e[i + 2] + 1) >> 1);
        line->values[THREE(i)] = (uint8_t)((e[i] + 2 * e[i + 1] + e[i + 2] + 2) >> 2);
    }
    int left = e[1] + e[2] + e[3] + e[4], above = e[6] + e[7] + e[8] + e[9], dc = 128;
    if (has_left && has_above)
        dc = (left + above + 4) >> 3;
    else if (has_left || has_above)
        dc = (left + above + 2) >> 2;
    line->values[E(13)] = (uint8_t)dc;
    line->modes = 1 << MODE_DC;
    if (has_above)
        line->modes |= 1 << 0 | 1 << 3 | 1 << 7;
    if (has_left)
        line->modes |= 1 << 1 | 1 << 8;
    if (has_left && has_above && has_corner)
        line->modes |= 1 << 4 | 1 << 5 | 1 << 6;
}

int predict4(const Line *line, int mode, uint8_t *samples)
{
    if (!(line->modes >> mode & 1))
        return 0;
    for (int i = 0; i < 16; i++)
        samples[i] = line->values[of_mode[mode][i]];
    return 1;
}
