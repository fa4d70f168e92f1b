/* Transforms, quantisation and reconstruction of what intra prediction lacks in luma: 4x4 by 4x4, or with the DC apart. */

#include "native.h"

#include "h264.h"
#include "h264_quantiser.h"
#include "h264_transform.h"

#include <string.h>

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
