/* The transforms of 8.5.10 to 8.5.13 and those that they undo. In a header, since the functions that use them are compiled
 * for several instruction sets, and these with them. */

#ifndef MANIMCAST_H264_TRANSFORM_H
#define MANIMCAST_H264_TRANSFORM_H

#include <stdint.h>

static inline uint8_t clip(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static inline void forward4(const int16_t *residual, int stride, int32_t *out)
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

static inline void inverse4(const int32_t *d, uint8_t *samples, const uint8_t *predicted, int stride)
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

static inline void transpose8(const int32_t *in, int32_t *out)
{
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            out[8 * x + y] = in[8 * y + x];
}

/* The transform of the 16 DC, 8.5.10; it is its own inverse but for a factor. */
static inline void hadamard4(int32_t *f)
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

#endif
