/* Scans, quantisation and its tables, 8.5.6 and 8.5.9. In a header for the same reason as the transforms. */

#ifndef MANIMCAST_H264_QUANTISER_H
#define MANIMCAST_H264_QUANTISER_H

#include <stdint.h>
#include <stdlib.h>

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

static inline int class4(int i)
{
    int x = i & 1, y = i >> 2 & 1;
    return x && y ? 1 : x || y ? 2 : 0;
}

static inline int class8(int i)
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

typedef struct {
    int32_t multiplier[64], offset, scale[64];
    int shift, by;
} Quantiser;

static inline void prepare4(Quantiser *q, int qp)
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

static inline void prepare8(Quantiser *q, int qp)
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

#endif
