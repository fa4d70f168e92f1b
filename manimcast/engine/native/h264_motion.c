/* Inter prediction, 8.4.2.2, and the search for motion that predicts a block well. */

#include "native.h"

#include "h264.h"

#include <stdlib.h>
#include <string.h>

enum { WIDE = 32, LINES = 24 }; /* room for the samples around a block of 16x16, and rows of it */

int within_reach(const Reference *r, int x, int y, int size, Motion m)
{
    int left = x + (m.x >> 2), top = y + (m.y >> 2);
    return left >= -REACH && top >= -REACH && left + size <= r->width + REACH && top + size <= r->height + REACH &&
           m.x >= -1024 && m.x < 1024 && m.y >= -240 && m.y <= 240;
}

static inline uint8_t clip(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Half samples of 8.4.2.2.1 between those at `at`: b across, h down, j in the middle of four. Rows of `out` are WIDE;
 * `width` is a multiple of 8. */
MULTIVERSIONED
static void half_across(const uint8_t *at, ptrdiff_t stride, int width, int height, uint8_t *restrict out)
{
    for (int y = 0; y < height; y++, at += stride, out += WIDE)
        for (int x = 0; x < width; x++) {
            int sum = at[x - 2] - 5 * at[x - 1] + 20 * at[x] + 20 * at[x + 1] - 5 * at[x + 2] + at[x + 3];
            out[x] = clip((sum + 16) >> 5);
        }
}

MULTIVERSIONED
static void half_down(const uint8_t *at, ptrdiff_t stride, int width, int height, uint8_t *restrict out)
{
    for (int y = 0; y < height; y++, at += stride, out += WIDE) {
        const uint8_t *a = at - 2 * stride, *b = at - stride, *c = at + stride, *d = at + 2 * stride, *e = at + 3 * stride;
        for (int x = 0; x < width; x++)
            out[x] = clip((a[x] - 5 * b[x] + 20 * at[x] + 20 * c[x] - 5 * d[x] + e[x] + 16) >> 5);
    }
}

MULTIVERSIONED
static void half_both(const uint8_t *at, ptrdiff_t stride, int width, int height, uint8_t *restrict out)
{
    int16_t sums[(LINES + 5) * WIDE];
    at -= 2 * stride;
    for (int y = 0; y < height + 5; y++, at += stride)
        for (int x = 0; x < width; x++)
            sums[y * WIDE + x] = (int16_t)(at[x - 2] - 5 * at[x - 1] + 20 * at[x] + 20 * at[x + 1] - 5 * at[x + 2] + at[x + 3]);
    for (int y = 0; y < height; y++, out += WIDE) {
        const int16_t *s = sums + y * WIDE;
        for (int x = 0; x < width; x++)
            out[x] = clip((s[x] - 5 * s[x + WIDE] + 20 * s[x + 2 * WIDE] + 20 * s[x + 3 * WIDE] - 5 * s[x + 4 * WIDE] +
                           s[x + 5 * WIDE] + 512) >> 10);
    }
}

/* Where the two samples are that a position is the mean of: 0 a whole one, 1 b, 2 h, 3 j; one more to the right, one
 * more below. The same twice where it is one sample. Indexed by y and x in quarters. */
typedef struct {
    uint8_t kind, right, below;
} Sample;
static const Sample of_position[16][2] = {
    {{0, 0, 0}, {0, 0, 0}}, {{0, 0, 0}, {1, 0, 0}}, {{1, 0, 0}, {1, 0, 0}}, {{1, 0, 0}, {0, 1, 0}},
    {{0, 0, 0}, {2, 0, 0}}, {{1, 0, 0}, {2, 0, 0}}, {{1, 0, 0}, {3, 0, 0}}, {{1, 0, 0}, {2, 1, 0}},
    {{2, 0, 0}, {2, 0, 0}}, {{2, 0, 0}, {3, 0, 0}}, {{3, 0, 0}, {3, 0, 0}}, {{3, 0, 0}, {2, 1, 0}},
    {{2, 0, 0}, {0, 0, 1}}, {{1, 0, 1}, {2, 0, 0}}, {{1, 0, 1}, {3, 0, 0}}, {{1, 0, 1}, {2, 1, 0}}};

MULTIVERSIONED
static void mean(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int width, int height,
                 uint8_t *restrict out)
{
    for (int y = 0; y < height; y++, a += a_stride, b += b_stride, out += 16)
        for (int x = 0; x < width; x++)
            out[x] = (uint8_t)((a[x] + b[x] + 1) >> 1);
}

static void copy(const uint8_t *from, ptrdiff_t stride, int width, int height, uint8_t *out)
{
    for (int y = 0; y < height; y++)
        memcpy(out + 16 * y, from + stride * y, (size_t)width);
}

static void predict_luma(const uint8_t *at, ptrdiff_t stride, int width, int height, int position, uint8_t *out)
{
    const Sample *of = of_position[position];
    uint8_t halves[2][(LINES) * WIDE];
    const uint8_t *from[2];
    ptrdiff_t strides[2];
    for (int i = 0; i < 2; i++) {
        const uint8_t *first = at + of[i].right + of[i].below * stride;
        from[i] = halves[i];
        strides[i] = WIDE;
        if (i && !memcmp(&of[0], &of[1], sizeof *of)) {
            from[1] = from[0];
            strides[1] = strides[0];
        } else if (of[i].kind == 0) {
            from[i] = first;
            strides[i] = stride;
        } else if (of[i].kind == 1) {
            half_across(first, stride, width, height, halves[i]);
        } else if (of[i].kind == 2) {
            half_down(first, stride, width, height, halves[i]);
        } else {
            half_both(first, stride, width, height, halves[i]);
        }
    }
    if (from[0] == from[1])
        copy(from[0], strides[0], width, height, out);
    else
        mean(from[0], strides[0], from[1], strides[1], width, height, out);
}

/* 8.4.2.2.2. */
static void predict_chroma(const uint8_t *at, ptrdiff_t stride, int width, int height, int x8, int y8, uint8_t *out)
{
    for (int y = 0; y < height; y++, at += stride, out += 8)
        for (int x = 0; x < width; x++)
            out[x] = (uint8_t)(((8 - x8) * (8 - y8) * at[x] + x8 * (8 - y8) * at[x + 1] + (8 - x8) * y8 * at[x + stride] +
                                x8 * y8 * at[x + stride + 1] + 32) >> 6);
}

void predict(const Reference *r, int x, int y, int width, int height, int inner_x, int inner_y, Motion m, uint8_t *samples)
{
    int left = x + inner_x + (m.x >> 2), top = y + inner_y + (m.y >> 2);
    predict_luma(r->planes[0] + top * r->stride + left, r->stride, width, height, (m.y & 3) * 4 + (m.x & 3),
                 samples + 16 * inner_y + inner_x);
    left = (x + inner_x) / 2 + (m.x >> 3);
    top = (y + inner_y) / 2 + (m.y >> 3);
    for (int p = 0; p < 2; p++)
        predict_chroma(r->planes[1 + p] + top * r->chroma_stride + left, r->chroma_stride, width / 2, height / 2, m.x & 7,
                       m.y & 7, samples + 256 + 64 * p + 4 * inner_y + inner_x / 2);
}

#if defined(__SSE2__)
#include <emmintrin.h>
static inline int sum_of(__m128i sums)
{
    return _mm_cvtsi128_si32(sums) + _mm_cvtsi128_si32(_mm_srli_si128(sums, 8));
}

static int absolute(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int width, int height)
{
    __m128i sums = _mm_setzero_si128();
    if (width == 16)
        for (int y = 0; y < height; y++, a += a_stride, b += b_stride)
            sums = _mm_add_epi64(sums, _mm_sad_epu8(_mm_loadu_si128((const __m128i *)a), _mm_loadu_si128((const __m128i *)b)));
    else
        for (int y = 0; y < height; y++, a += a_stride, b += b_stride)
            sums = _mm_add_epi64(sums, _mm_sad_epu8(_mm_loadl_epi64((const __m128i *)a), _mm_loadl_epi64((const __m128i *)b)));
    return sum_of(sums);
}
#else
static int absolute(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int width, int height)
{
    int sum = 0;
    for (int y = 0; y < height; y++, a += a_stride, b += b_stride)
        for (int x = 0; x < width; x++)
            sum += abs(a[x] - b[x]);
    return sum;
}
#endif

int difference(const uint8_t *a, const uint8_t *b, int width, int height)
{
    return absolute(a, 16, b, 16, width, height);
}

int difference_of(const uint8_t *a, const uint8_t *b, int count)
{
    return absolute(a, 16, b, 16, 16, count / 16);
}

int motion_bits(int x, int y)
{
    int bits = 2;
    for (int rest = abs(x); rest; rest >>= 1)
        bits += 2;
    for (int rest = abs(y); rest; rest >>= 1)
        bits += 2;
    return bits;
}

typedef struct {
    const Reference *reference;
    const uint8_t *source;
    int x, y, size, lambda, cost;
    Motion expected, best;
} Search;

static int try_whole(Search *s, int x, int y)
{
    Motion m = {(int16_t)(4 * x), (int16_t)(4 * y), s->expected.back};
    if (!within_reach(s->reference, s->x, s->y, s->size, m))
        return 0;
    const uint8_t *at = s->reference->planes[0] + (s->y + y) * s->reference->stride + s->x + x;
    int cost = s->lambda * motion_bits(m.x - s->expected.x, m.y - s->expected.y);
    if (cost >= s->cost)
        return 0;
    cost += absolute(s->source, 16, at, s->reference->stride, s->size, s->size);
    if (cost >= s->cost)
        return 0;
    s->cost = cost;
    s->best = m;
    return 1;
}

/* Try the positions of `step` quarters around the best: of whole samples and halves around it. */
static void try_fractions(Search *s, const uint8_t *planes[4], const ptrdiff_t strides[4], Motion whole, int step)
{
    Motion centre = s->best;
    uint8_t predicted[256];
    for (int i = 0; i < 9; i++) {
        Motion m = {(int16_t)(centre.x + (i % 3 - 1) * step), (int16_t)(centre.y + (i / 3 - 1) * step), centre.back};
        if (i == 4 || !within_reach(s->reference, s->x, s->y, s->size, m))
            continue;
        int cost = s->lambda * motion_bits(m.x - s->expected.x, m.y - s->expected.y);
        if (cost >= s->cost)
            continue;
        int dx = m.x - whole.x, dy = m.y - whole.y; /* -3 to 3 */
        const Sample *of = of_position[(dy & 3) * 4 + (dx & 3)];
        const uint8_t *from[2];
        for (int k = 0; k < 2; k++)
            from[k] = planes[of[k].kind] + ((dy >> 2) + of[k].below) * strides[of[k].kind] + (dx >> 2) + of[k].right;
        if (from[0] == from[1]) {
            cost += absolute(s->source, 16, from[0], strides[of[0].kind], s->size, s->size);
        } else {
            mean(from[0], strides[of[0].kind], from[1], strides[of[1].kind], s->size, s->size, predicted);
            cost += absolute(s->source, 16, predicted, 16, s->size, s->size);
        }
        if (cost < s->cost) {
            s->cost = cost;
            s->best = m;
        }
    }
}

int search(const Reference *r, const uint8_t *source, int x, int y, int size, const Motion *candidates, int count,
           Motion expected, int lambda, int limit, Motion *found)
{
    Search s = {r, source, x, y, size, lambda, 1 << 30, expected, {0, 0, expected.back}};
    try_whole(&s, 0, 0);
    for (int i = 0; i < count; i++)
        try_whole(&s, (candidates[i].x + 2) >> 2, (candidates[i].y + 2) >> 2);
    if (s.cost / 2 > limit)
        return s.cost;
    static const int8_t hexagon[6][2] = {{-2, 0}, {2, 0}, {-1, -2}, {1, -2}, {-1, 2}, {1, 2}};
    static const int8_t square[8][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {1, -1}, {-1, 1}, {1, 1}};
    for (int turns = 0, better = 1; size == 16 && better && turns < 8; turns++) {
        int cx = s.best.x >> 2, cy = s.best.y >> 2;
        better = 0;
        for (int i = 0; i < 6; i++)
            better |= try_whole(&s, cx + hexagon[i][0], cy + hexagon[i][1]);
    }
    for (int turns = 0, better = 1; better && turns < (size == 16 ? 1 : 2); turns++) {
        int cx = s.best.x >> 2, cy = s.best.y >> 2;
        better = 0;
        for (int i = 0; i < 8; i++)
            better |= try_whole(&s, cx + square[i][0], cy + square[i][1]);
    }
    if (s.cost > 2 * lambda && s.cost - s.cost / 4 <= limit) {
        /* Halves around the best, from one sample before to one behind. */
        uint8_t halves[3][LINES * WIDE];
        Motion whole = s.best;
        const uint8_t *at = r->planes[0] + (y + (whole.y >> 2)) * r->stride + x + (whole.x >> 2), *before = at - r->stride - 1;
        half_across(before, r->stride, size + 8, size + 2, halves[0]);
        half_down(before, r->stride, size + 8, size + 2, halves[1]);
        half_both(before, r->stride, size + 8, size + 2, halves[2]);
        const uint8_t *planes[4] = {at, halves[0] + WIDE + 1, halves[1] + WIDE + 1, halves[2] + WIDE + 1};
        const ptrdiff_t strides[4] = {r->stride, WIDE, WIDE, WIDE};
        try_fractions(&s, planes, strides, whole, 2);
        try_fractions(&s, planes, strides, whole, 1);
    }
    *found = s.best;
    return s.cost;
}
