/* Transforms, quantisation and reconstruction of what prediction lacks, 8.5. */

#include "native.h"

#include "h264.h"
#include "h264_quantiser.h"
#include "h264_transform.h"

#include <stdlib.h>
#include <string.h>

enum { LEFT_BITS = 4 }; /* an error that is worth fewer bits is left as it is */

/* Table 8-15. */
int chroma_qp(int qp, int offset)
{
    static const uint8_t above[22] = {29, 30, 31, 32, 32, 33, 34, 34, 35, 35, 36, 36, 37, 37, 37, 38, 38, 38, 39, 39, 39, 39};
    int index = qp + offset;
    index = index < 0 ? 0 : index > 51 ? 51 : index;
    return index < 30 ? index : above[index - 30];
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
