/* The levels of P slices: residual() of 7.3.5.3 with the binarisations and contexts of 9.3.2 and 9.3.3.1. */

#include "h264.h"

#include <stdlib.h>

/* ctxIdxOffset of Table 9-34 with ctxBlockCatOffset of Table 9-40, by ctxBlockCat. */
enum { CODED_FLAG = 85 };
enum { LUMA_DC, LUMA_AC, LUMA4, CHROMA_DC, CHROMA_AC, LUMA8 };
static const int significant[] = {105, 120, 134, 149, 152, 402};
static const int last_one[] = {166, 181, 195, 210, 213, 417};
static const int magnitude_from[] = {227, 237, 247, 257, 266, 426};

/* Table 9-43, frame coded: ctxIdxInc of significant_coeff_flag and of last_significant_coeff_flag in blocks of 8x8. */
static const uint8_t significant8[63] = {
    0,  1,  2,  3,  4,  5,  5,  4,  4,  3,  3,  4,  4,  4,  5,  5,  4,  4,  4,  4,  3,
    3,  6,  7,  7,  7,  8,  9,  10, 9,  8,  7,  7,  6,  11, 12, 13, 11, 6,  7,  8,  9,
    14, 10, 9,  8,  6,  11, 12, 13, 11, 6,  9,  14, 10, 9,  11, 12, 13, 11, 14, 10, 12};
static const uint8_t last8[63] = {
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8};

/* 7.3.5.3.3 without coded_block_flag: levels in scan order, one of them at least not zero. */
static void write_levels(Cabac *c, int category, const int16_t *level, int count)
{
    int last = count - 1;
    while (!level[last])
        last--;
    for (int i = 0; i < count - 1; i++) {
        int of = category == LUMA8 ? significant8[i] : category == CHROMA_DC && i > 2 ? 2 : i;
        cabac_bin(c, significant[category] + of, level[i] != 0);
        if (level[i]) {
            cabac_bin(c, last_one[category] + (category == LUMA8 ? last8[i] : of), i == last);
            if (i == last)
                break;
        }
    }
    int ones = 0, more = 0, from = magnitude_from[category];
    for (int i = last; i >= 0; i--) {
        if (!level[i])
            continue;
        int rest = abs(level[i]) - 1;
        cabac_bin(c, from + (more ? 0 : ones < 3 ? 1 + ones : 4), rest > 0);
        if (rest) {
            int most = category == CHROMA_DC ? 3 : 4, context = from + 5 + (more < most ? more : most);
            for (int k = 1; k < rest && k < 14; k++)
                cabac_bin(c, context, 1);
            if (rest < 14)
                cabac_bin(c, context, 0);
            else
                cabac_exponential(c, rest - 14, 0);
            more++;
        } else {
            ones++;
        }
        cabac_bypass(c, level[i] < 0);
    }
}

static int any(const int16_t *level, int count)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found |= level[i];
    return found != 0;
}

static void write_coded_flag(Cabac *c, int category, int left, int above, int coded)
{
    cabac_bin(c, CODED_FLAG + 4 * category + left + 2 * above, coded);
}

/* A flag of a neighbour; where there is none it counts as set in intra macroblocks. 9.3.3.1.1.9. */
static int coded_at(const Macroblock *m, const Macroblock *neighbour, int flags)
{
    return neighbour->present ? flags & 1 : m->intra;
}

void write_luma(Cabac *c, Slice *s, int at, const Residual *r, int dc_apart)
{
    Macroblock *m = &s->macroblocks[at];
    const Macroblock *left = m - 1, *above = m - s->stride;
    int category = dc_apart ? LUMA_AC : LUMA4, count = dc_apart ? 15 : 16;
    if (dc_apart) {
        m->dc_coded = (uint8_t)any(r->luma_dc, 16);
        write_coded_flag(c, LUMA_DC, coded_at(m, left, left->dc_coded), coded_at(m, above, above->dc_coded), m->dc_coded);
        if (m->dc_coded)
            write_levels(c, LUMA_DC, r->luma_dc, 16);
    }
    for (int i = 0; i < 16; i++) {
        if (!(r->pattern >> (i / 4) & 1))
            continue;
        if (r->transform8) {
            write_levels(c, LUMA8, r->luma + 16 * i, 64);
            m->luma_coded |= (uint16_t)(0x33 << ((i & 4) / 2 + (i & 8)));
            i += 3;
            continue;
        }
        int x = (i & 1) | (i & 4) >> 1, y = (i & 2) >> 1 | (i & 8) >> 2;
        int a = x ? m->luma_coded >> (4 * y + x - 1) & 1 : coded_at(m, left, left->luma_coded >> (4 * y + 3));
        int b = y ? m->luma_coded >> (4 * y - 4 + x) & 1 : coded_at(m, above, above->luma_coded >> (12 + x));
        int coded = any(r->luma + 16 * i, count);
        write_coded_flag(c, category, a, b, coded);
        if (coded) {
            write_levels(c, category, r->luma + 16 * i, count);
            m->luma_coded |= (uint16_t)(1 << (4 * y + x));
        }
    }
}

void write_chroma(Cabac *c, Slice *s, int at, const Residual *r)
{
    Macroblock *m = &s->macroblocks[at];
    const Macroblock *left = m - 1, *above = m - s->stride;
    for (int p = 0; p < 2; p++) {
        int coded = any(r->chroma_dc[p], 4);
        int a = coded_at(m, left, left->chroma_coded[p] >> 4), b = coded_at(m, above, above->chroma_coded[p] >> 4);
        write_coded_flag(c, CHROMA_DC, a, b, coded);
        if (coded) {
            write_levels(c, CHROMA_DC, r->chroma_dc[p], 4);
            m->chroma_coded[p] |= 16;
        }
    }
    for (int p = 0; r->pattern >> 5 && p < 2; p++) {
        for (int i = 0; i < 4; i++) {
            int coded = any(r->chroma_ac[p][i], 15);
            int a = i & 1 ? m->chroma_coded[p] >> (i - 1) & 1 : coded_at(m, left, left->chroma_coded[p] >> (i + 1));
            int b = i & 2 ? m->chroma_coded[p] >> (i - 2) & 1 : coded_at(m, above, above->chroma_coded[p] >> (i + 2));
            write_coded_flag(c, CHROMA_AC, a, b, coded);
            if (coded) {
                write_levels(c, CHROMA_AC, r->chroma_ac[p][i], 15);
                m->chroma_coded[p] |= (uint8_t)(1 << i);
            }
        }
    }
}
