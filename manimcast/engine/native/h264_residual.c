/* Transforms, quantisation and reconstruction, 8.5; the forward transforms are those that 8.5.12 and 8.5.13 undo. */

#include "h264.h"
#include "native.h"

#include <stdlib.h>
#include <string.h>

enum { LEFT_BITS = 4 }; /* an error that is worth fewer bits is left as it is */

static const uint8_t zigzag4[16] = {0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15}; /* 8.5.6, by row */
static const uint8_t zigzag8[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/* normAdjust of 8.5.9, by remainder of the quantiser and class of the position. */
static const uint8_t scale4[6][3] = {{10, 16, 13}, {11, 18, 14}, {13, 20, 16}, {14, 23, 18}, {16, 25, 20}, {18, 29, 23}};
static const uint8_t scale8[6][6] = {{20, 18, 32, 19, 25, 24}, {22, 19, 35, 21, 28, 26}, {26, 23, 42, 24, 33, 31},
                                     {28, 25, 45, 26, 35, 33}, {32, 28, 51, 30, 40, 38}, {36, 32, 58, 34, 46, 43}};
/* What a level times its scale is of the forward transform's coefficient, in 2**-21 and 2**-18: it follows from the
 * norms of the transforms' rows. */
static const int32_t gain4[3] = {131072, 83886, 104858};
static const int32_t gain8[6] = {262144, 205697, 671089, 232211, 419430, 371538};

static int class4(int i)
{
    int x = i & 1, y = i >> 2 & 1;
    return x && y ? 1 : x || y ? 2 : 0;
}

static int class8(int i)
{
    int x = i & 7, y = i >> 3;
    if (!(x & 3) && !(y & 3))
        return 0;
    if (x & 1 && y & 1)
        return 1;
    if ((x & 3) == 2 && (y & 3) == 2)
        return 2;
    if ((!(x & 3) && y & 1) || (x & 1 && !(y & 3)))
        return 3;
    if ((!(x & 3) && (y & 3) == 2) || ((x & 3) == 2 && !(y & 3)))
        return 4;
    return 5;
}

/* Table 8-15. */
int chroma_qp(int qp, int offset)
{
    static const uint8_t above[22] = {29, 30, 31, 32, 32, 33, 34, 34, 35, 35, 36, 36, 37, 37, 37, 38, 38, 38, 39, 39, 39, 39};
    int index = qp + offset;
    index = index < 0 ? 0 : index > 51 ? 51 : index;
    return index < 30 ? index : above[index - 30];
}

static uint8_t clip(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

MULTIVERSIONED
int64_t squared_error(const uint8_t *a, const uint8_t *b, int count)
{
    int32_t sum = 0; /* at most 384 * 255 ** 2 */
    for (int i = 0; i < count; i++) {
        int d = a[i] - b[i];
        sum += d * d;
    }
    return sum;
}

static void forward4(const int16_t *residual, int stride, int32_t *out)
{
    int32_t t[16];
    for (int y = 0; y < 4; y++) {
        const int16_t *r = residual + y * stride;
        int a = r[0] + r[3], b = r[1] + r[2], c = r[1] - r[2], d = r[0] - r[3];
        t[4 * y] = a + b;
        t[4 * y + 1] = 2 * d + c;
        t[4 * y + 2] = a - b;
        t[4 * y + 3] = d - 2 * c;
    }
    for (int x = 0; x < 4; x++) {
        int a = t[x] + t[12 + x], b = t[4 + x] + t[8 + x], c = t[4 + x] - t[8 + x], d = t[x] - t[12 + x];
        out[x] = a + b;
        out[4 + x] = 2 * d + c;
        out[8 + x] = a - b;
        out[12 + x] = d - 2 * c;
    }
}

static void inverse4(const int32_t *d, uint8_t *samples, const uint8_t *predicted, int stride)
{
    int32_t t[16];
    for (int y = 0; y < 4; y++) {
        const int32_t *w = d + 4 * y;
        int a = w[0] + w[2], b = w[0] - w[2], c = (w[1] >> 1) - w[3], e = w[1] + (w[3] >> 1);
        t[4 * y] = a + e;
        t[4 * y + 1] = b + c;
        t[4 * y + 2] = b - c;
        t[4 * y + 3] = a - e;
    }
    for (int x = 0; x < 4; x++) {
        int a = t[x] + t[8 + x], b = t[x] - t[8 + x], c = (t[4 + x] >> 1) - t[12 + x], e = t[4 + x] + (t[12 + x] >> 1);
        int r[4] = {a + e, b + c, b - c, a - e};
        for (int y = 0; y < 4; y++)
            samples[y * stride + x] = clip(predicted[y * stride + x] + ((r[y] + 32) >> 6));
    }
}

/* One pass of the forward transform of 8x8, over columns: `in` and `out` have rows of 8. */
static inline void forward8_pass(const int32_t *in, int32_t *out)
{
    for (int x = 0; x < 8; x++) {
        const int32_t *s = in + x;
        int s07 = s[0] + s[56], s16 = s[8] + s[48], s25 = s[16] + s[40], s34 = s[24] + s[32];
        int a0 = s07 + s34, a1 = s16 + s25, a2 = s07 - s34, a3 = s16 - s25;
        int d07 = s[0] - s[56], d16 = s[8] - s[48], d25 = s[16] - s[40], d34 = s[24] - s[32];
        int a4 = d16 + d25 + (d07 + (d07 >> 1)), a5 = d07 - d34 - (d25 + (d25 >> 1));
        int a6 = d07 + d34 - (d16 + (d16 >> 1)), a7 = d16 - d25 + (d34 + (d34 >> 1));
        out[x] = a0 + a1;
        out[8 + x] = a4 + (a7 >> 2);
        out[16 + x] = a2 + (a3 >> 1);
        out[24 + x] = a5 + (a6 >> 2);
        out[32 + x] = a0 - a1;
        out[40 + x] = a6 - (a5 >> 2);
        out[48 + x] = (a2 >> 1) - a3;
        out[56 + x] = (a4 >> 2) - a7;
    }
}

static inline void inverse8_pass(const int32_t *in, int32_t *out)
{
    for (int x = 0; x < 8; x++) {
        const int32_t *w = in + x;
        int a0 = w[0] + w[32], a4 = w[0] - w[32], a2 = (w[16] >> 1) - w[48], a6 = w[16] + (w[48] >> 1);
        int a1 = -w[24] + w[40] - w[56] - (w[56] >> 1), a3 = w[8] + w[56] - w[24] - (w[24] >> 1);
        int a5 = -w[8] + w[56] + w[40] + (w[40] >> 1), a7 = w[24] + w[40] + w[8] + (w[8] >> 1);
        int b0 = a0 + a6, b2 = a4 + a2, b4 = a4 - a2, b6 = a0 - a6;
        int b1 = a1 + (a7 >> 2), b7 = a7 - (a1 >> 2), b3 = a3 + (a5 >> 2), b5 = (a3 >> 2) - a5;
        out[x] = b0 + b7;
        out[8 + x] = b2 + b5;
        out[16 + x] = b4 + b3;
        out[24 + x] = b6 + b1;
        out[32 + x] = b6 - b1;
        out[40 + x] = b4 - b3;
        out[48 + x] = b2 - b5;
        out[56 + x] = b0 - b7;
    }
}

static void transpose8(const int32_t *in, int32_t *out)
{
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            out[8 * x + y] = in[8 * y + x];
}

/* What a block of levels costs, roughly, in 256ths of a bit. */
static int rough_bits(const int16_t *levels, int count)
{
    int bits = 0, zeros = 0;
    for (int i = 0; i < count; i++) {
        int magnitude = abs(levels[i]);
        if (!magnitude) {
            zeros++;
            continue;
        }
        bits += 4 * 256 + 64 * (zeros < 8 ? zeros : 8);
        zeros = 0;
        for (; magnitude > 1; magnitude = magnitude > 16 ? magnitude >> 1 : magnitude - 1)
            bits += 200;
    }
    return bits;
}

typedef struct {
    int32_t multiplier[64], offset, scale[64];
    int shift, by;
} Quantiser;

static void prepare4(Quantiser *q, int qp)
{
    q->shift = 15 + qp / 6;
    q->offset = (1 << q->shift) / 6;
    q->by = qp / 6;
    for (int i = 0; i < 16; i++) {
        int scale = scale4[qp % 6][class4(i)];
        q->multiplier[i] = (gain4[class4(i)] + scale / 2) / scale;
        q->scale[i] = scale;
    }
}

static void prepare8(Quantiser *q, int qp)
{
    q->shift = 16 + qp / 6;
    q->offset = (1 << q->shift) / 6;
    q->by = qp / 6;
    for (int i = 0; i < 64; i++) {
        int scale = scale8[qp % 6][class8(i)];
        q->multiplier[i] = (gain8[class8(i)] + scale / 2) / scale;
        q->scale[i] = scale;
    }
}

static inline int quantise(int value, int multiplier, int offset, int shift)
{
    int level = (abs(value) * multiplier + offset) >> shift;
    level = level > 2063 ? 2063 : level; /* what FFmpeg's and other decoders surely take */
    return value < 0 ? -level : level;
}

static void code_block4(const Quantiser *q, const uint8_t *source, const uint8_t *predicted, int stride,
                        int16_t *levels, uint8_t *samples)
{
    int16_t residual[16];
    int32_t w[16], found = 0;
    for (int i = 0; i < 16; i++)
        residual[i] = (int16_t)(source[(i >> 2) * stride + (i & 3)] - predicted[(i >> 2) * stride + (i & 3)]);
    forward4(residual, 4, w);
    for (int i = 0; i < 16; i++) {
        w[i] = quantise(w[i], q->multiplier[i], q->offset, q->shift);
        found |= w[i];
    }
    for (int i = 0; i < 16; i++)
        levels[i] = (int16_t)w[zigzag4[i]];
    if (!found) {
        for (int y = 0; y < 4; y++)
            memcpy(samples + y * stride, predicted + y * stride, 4);
        return;
    }
    for (int i = 0; i < 16; i++)
        w[i] = w[i] * q->scale[i] * (1 << q->by);
    inverse4(w, samples, predicted, stride);
}

static void code_block8(const Quantiser *q, const uint8_t *source, const uint8_t *predicted, int16_t *levels,
                        uint8_t *samples)
{
    int32_t w[64], t[64], found = 0;
    for (int i = 0; i < 64; i++)
        w[i] = source[(i >> 3) * 16 + (i & 7)] - predicted[(i >> 3) * 16 + (i & 7)];
    forward8_pass(w, t);
    transpose8(t, w);
    forward8_pass(w, t);
    transpose8(t, w);
    for (int i = 0; i < 64; i++) {
        w[i] = quantise(w[i], q->multiplier[i], q->offset, q->shift);
        found |= w[i];
    }
    for (int i = 0; i < 64; i++)
        levels[i] = (int16_t)w[zigzag8[i]];
    if (!found) {
        for (int y = 0; y < 8; y++)
            memcpy(samples + 16 * y, predicted + 16 * y, 8);
        return;
    }
    for (int i = 0; i < 64; i++)
        w[i] = q->by >= 2 ? w[i] * q->scale[i] * (1 << (q->by - 2)) : (w[i] * q->scale[i] + (1 << (1 - q->by))) >> (2 - q->by);
    transpose8(w, t);
    inverse8_pass(t, w); /* rows first */
    transpose8(w, t);
    inverse8_pass(t, w);
    for (int i = 0; i < 64; i++)
        samples[(i >> 3) * 16 + (i & 7)] = clip(predicted[(i >> 3) * 16 + (i & 7)] + ((w[i] + 32) >> 6));
}

static int64_t error8(const uint8_t *a, const uint8_t *b)
{
    int32_t sum = 0;
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            int d = a[16 * y + x] - b[16 * y + x];
            sum += d * d;
        }
    return sum;
}

MULTIVERSIONED
int64_t code_luma(Residual *r, const uint8_t *source, const uint8_t *predicted, int qp, int transform8, int64_t lambda)
{
    Quantiser q;
    if (transform8)
        prepare8(&q, qp);
    else
        prepare4(&q, qp);
    int64_t sum = 0;
    r->transform8 = (uint8_t)transform8;
    r->pattern &= 0xf0;
    for (int i = 0; i < 4; i++) {
        int at = (i & 1) * 8 + (i & 2) * 64, bits;
        int16_t *levels = r->luma + 64 * i;
        int64_t without = error8(source + at, predicted + at), with = without;
        if (without * 256 < LEFT_BITS * lambda) {
            bits = 0;
            memset(levels, 0, 64 * sizeof *levels);
            for (int y = 0; y < 8; y++)
                memcpy(r->samples + at + 16 * y, predicted + at + 16 * y, 8);
        } else if (transform8) {
            code_block8(&q, source + at, predicted + at, levels, r->samples + at);
            bits = rough_bits(levels, 64);
        } else {
            bits = 0;
            for (int k = 0; k < 4; k++) {
                int inner = at + (k & 1) * 4 + (k & 2) * 32;
                code_block4(&q, source + inner, predicted + inner, 16, levels + 16 * k, r->samples + inner);
                bits += rough_bits(levels + 16 * k, 16);
            }
        }
        if (bits) {
            with = error8(source + at, r->samples + at);
            if (without * 256 > with * 256 + lambda * bits / 256) {
                r->pattern |= (uint8_t)(1 << i);
            } else {
                memset(levels, 0, 64 * sizeof *levels);
                for (int y = 0; y < 8; y++)
                    memcpy(r->samples + at + 16 * y, predicted + at + 16 * y, 8);
                with = without;
            }
        }
        sum += with;
    }
    return sum;
}

MULTIVERSIONED
int64_t code_chroma(Residual *r, const uint8_t *source, const uint8_t *predicted, int qp_u, int qp_v, int64_t lambda)
{
    int any_dc = 0, any_ac = 0, bits = 0;
    int64_t without = squared_error(source + 256, predicted + 256, 128);
    r->pattern &= 15;
    memcpy(r->samples + 256, predicted + 256, 128);
    if (without * 256 < LEFT_BITS * lambda)
        return without;
    for (int p = 0; p < 2; p++) {
        int at = 256 + 64 * p;
        Quantiser q;
        prepare4(&q, p ? qp_v : qp_u);
        int32_t w[4][16], dc[4];
        for (int k = 0; k < 4; k++) {
            int inner = at + (k & 1) * 4 + (k & 2) * 16;
            int16_t residual[16];
            for (int i = 0; i < 16; i++)
                residual[i] = (int16_t)(source[inner + (i >> 2) * 8 + (i & 3)] - predicted[inner + (i >> 2) * 8 + (i & 3)]);
            forward4(residual, 4, w[k]);
            dc[k] = w[k][0];
            for (int i = 1; i < 16; i++)
                w[k][i] = quantise(w[k][i], q.multiplier[i], q.offset, q.shift);
            for (int i = 1; i < 16; i++) {
                r->chroma_ac[p][k][i - 1] = (int16_t)w[k][zigzag4[i]];
                any_ac |= w[k][zigzag4[i]];
            }
            bits += rough_bits(r->chroma_ac[p][k], 15);
        }
        int32_t f[4] = {dc[0] + dc[1] + dc[2] + dc[3], dc[0] - dc[1] + dc[2] - dc[3], dc[0] + dc[1] - dc[2] - dc[3],
                        dc[0] - dc[1] - dc[2] + dc[3]};
        for (int k = 0; k < 4; k++) {
            f[k] = quantise(f[k], q.multiplier[0], 2 * q.offset, q.shift + 1);
            r->chroma_dc[p][k] = (int16_t)f[k];
            any_dc |= f[k];
        }
        bits += rough_bits(r->chroma_dc[p], 4);
        int32_t g[4] = {f[0] + f[1] + f[2] + f[3], f[0] - f[1] + f[2] - f[3], f[0] + f[1] - f[2] - f[3],
                        f[0] - f[1] - f[2] + f[3]};
        for (int k = 0; k < 4; k++) {
            int inner = at + (k & 1) * 4 + (k & 2) * 16;
            for (int i = 1; i < 16; i++)
                w[k][i] = w[k][i] * q.scale[i] * (1 << q.by);
            w[k][0] = (g[k] * q.scale[0] * (1 << q.by)) >> 1;
            inverse4(w[k], r->samples + inner, predicted + inner, 8);
        }
    }
    if (any_dc || any_ac) {
        int64_t with = squared_error(source + 256, r->samples + 256, 128);
        if (without * 256 > with * 256 + lambda * bits / 256) {
            r->pattern |= any_ac ? 32 : 16;
            return with;
        }
        memset(r->chroma_dc, 0, sizeof r->chroma_dc);
        memset(r->chroma_ac, 0, sizeof r->chroma_ac);
    }
    memcpy(r->samples + 256, predicted + 256, 128);
    return without;
}

int code_luma4(const uint8_t *source, int source_stride, const uint8_t *predicted, int qp, int16_t *levels,
               uint8_t *samples, int stride)
{
    Quantiser q;
    int16_t residual[16];
    int32_t w[16], found = 0;
    prepare4(&q, qp);
    for (int i = 0; i < 16; i++)
        residual[i] = (int16_t)(source[(i >> 2) * source_stride + (i & 3)] - predicted[i]);
    forward4(residual, 4, w);
    for (int i = 0; i < 16; i++) {
        w[i] = quantise(w[i], q.multiplier[i], q.offset, q.shift);
        found |= w[i];
    }
    for (int i = 0; i < 16; i++)
        levels[i] = (int16_t)w[zigzag4[i]];
    uint8_t out[16];
    for (int i = 0; i < 16; i++)
        w[i] = w[i] * q.scale[i] * (1 << q.by);
    inverse4(w, out, predicted, 4);
    for (int y = 0; y < 4; y++)
        memcpy(samples + y * stride, out + 4 * y, 4);
    return found != 0;
}

/* The transform of the 16 DC, 8.5.10; it is its own inverse but for a factor. */
static void hadamard4(int32_t *f)
{
    for (int pass = 0; pass < 2; pass++) {
        int step = pass ? 4 : 1, next = pass ? 1 : 4;
        for (int i = 0; i < 4; i++) {
            int32_t *v = f + i * next;
            int a = v[0] + v[step], b = v[0] - v[step], c = v[2 * step] + v[3 * step], d = v[2 * step] - v[3 * step];
            v[0] = a + c;
            v[step] = a - c;
            v[2 * step] = b - d;
            v[3 * step] = b + d;
        }
    }
}

/* A macroblock whose DC is coded apart, 8.5.2. */
MULTIVERSIONED
int64_t code_luma16(Residual *r, const uint8_t *source, const uint8_t *predicted, int qp)
{
    Quantiser q;
    int32_t w[16][16], dc[16], any_ac = 0, any_dc = 0;
    prepare4(&q, qp);
    r->transform8 = 0;
    for (int i = 0; i < 16; i++) {
        int x = (i & 1) | (i & 4) >> 1, y = (i & 2) >> 1 | (i & 8) >> 2, at = 64 * y + 4 * x;
        int16_t residual[16];
        for (int k = 0; k < 16; k++)
            residual[k] = (int16_t)(source[at + (k >> 2) * 16 + (k & 3)] - predicted[at + (k >> 2) * 16 + (k & 3)]);
        forward4(residual, 4, w[i]);
        dc[4 * y + x] = w[i][0];
        for (int k = 1; k < 16; k++)
            w[i][k] = quantise(w[i][k], q.multiplier[k], q.offset, q.shift);
        for (int k = 1; k < 16; k++) {
            r->luma[16 * i + k - 1] = (int16_t)w[i][zigzag4[k]];
            any_ac |= w[i][zigzag4[k]];
        }
    }
    hadamard4(dc);
    for (int i = 0; i < 16; i++) {
        dc[i] = quantise((dc[i] + (dc[i] >= 0)) / 2, q.multiplier[0], 2 * q.offset, q.shift + 1);
        any_dc |= dc[i];
    }
    for (int i = 0; i < 16; i++)
        r->luma_dc[i] = (int16_t)dc[zigzag4[i]];
    r->pattern = (uint8_t)((r->pattern & 0xf0) | (any_ac ? 15 : 0));
    if (!any_ac && !any_dc) {
        memcpy(r->samples, predicted, 256);
        return squared_error(source, predicted, 256);
    }
    hadamard4(dc);
    for (int i = 0; i < 16; i++) {
        int x = (i & 1) | (i & 4) >> 1, y = (i & 2) >> 1 | (i & 8) >> 2, at = 64 * y + 4 * x, f = dc[4 * y + x];
        for (int k = 1; k < 16; k++)
            w[i][k] = w[i][k] * q.scale[k] * (1 << q.by);
        w[i][0] = q.by >= 2 ? f * q.scale[0] * (1 << (q.by - 2)) : (f * q.scale[0] + (1 << (1 - q.by))) >> (2 - q.by);
        inverse4(w[i], r->samples + at, predicted + at, 16);
    }
    return squared_error(source, r->samples, 256);
}
