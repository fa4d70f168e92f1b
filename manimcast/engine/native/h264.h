/* Coding P pictures of H.264 of which little changes: what the files h264_*.c share.
 *
 * Derived from the text of ITU-T H.264 (the clauses stand where they are used) and from comparing what a decoder makes
 * of the slices; no encoder's or decoder's source was used. The stream is progressive, 4:2:0 with 8 bits, one slice a
 * picture, CABAC, the pictures before as references, flat scaling, no deblocking in these slices. */

#ifndef MANIMCAST_H264_H
#define MANIMCAST_H264_H

#include <stddef.h>
#include <stdint.h>

enum {
    CONTEXTS = 436, /* those of frame macroblocks without the ones for 4:4:4 */
    MARGIN = 48,    /* samples of luma around the reference picture; half as many of chroma */
    REACH = 24,     /* how far a block may begin outside of the picture, and 16 more at the other end */
    MOST_PICTURES = 4, /* that motion refers to */
    LOWEST_QP = 0,
    HIGHEST_QP = 51,
};

typedef struct {
    int16_t x, y; /* in quarters of a sample */
    uint8_t back; /* ref_idx: it refers to the picture before, or to one so many before that */
} Motion;

static inline int stays(Motion m)
{
    return !m.x && !m.y && !m.back;
}

/* ---- h264_cabac.c: the arithmetic coder, 9.3 ---- */

typedef struct {
    uint8_t states[CONTEXTS]; /* pStateIdx and, in the last bit, valMPS */
    uint8_t counting;         /* nothing is written, bits are only counted */
    uint32_t bits;            /* in 256ths */
    uint32_t low, range;
    int queue; /* bits of `low` that are ready to be written */
    uint8_t *at;
} Cabac;

void cabac_begin(Cabac *, int qp, uint8_t *out);
void cabac_bin(Cabac *, int context, int bin);
void cabac_bypass(Cabac *, int bin);
void cabac_exponential(Cabac *, int value, int k); /* Exp-Golomb code of order k, without sign */
void cabac_end_of_slice(Cabac *, int end);
void cabac_skipped(Cabac *, int count); /* macroblocks that are skipped, amid such, none of them the last */

/* ---- h264_residual.c: transforms and quantisation, 8.5 ---- */

typedef struct {
    int16_t luma[256];       /* levels in scan order: 16 by block of 4x4, or 64 by block of 8x8 */
    int16_t luma_dc[16];     /* of a macroblock whose DC is coded apart; then luma has 15 by block */
    int16_t chroma_dc[2][4]; /* of Cb, of Cr */
    int16_t chroma_ac[2][4][15];
    uint8_t pattern;    /* coded_block_pattern */
    uint8_t transform8; /* transform_size_8x8_flag */
    uint8_t samples[384]; /* reconstructed: 16x16 of luma, 8x8 of Cb, of Cr */
} Residual;

int chroma_qp(int qp, int offset);
/* Transform and quantise one part of what `predicted` (384 samples, as above) lacks; leave the samples reconstructed.
 * Return the squared error. `lambda` is what a bit is worth in squared error, in 256ths. */
int64_t code_luma(Residual *, const uint8_t *source, const uint8_t *predicted, int qp, int transform8, int64_t lambda);
int64_t code_chroma(Residual *, const uint8_t *source, const uint8_t *predicted, int qp_u, int qp_v, int64_t lambda);
int64_t squared_error(const uint8_t *, const uint8_t *, int count);

/* ---- h264_residual_intra.c: the same of luma in intra macroblocks ---- */

int64_t code_luma16(Residual *, const uint8_t *source, const uint8_t *predicted, int qp);
/* Transform and quantise one block of 4x4. Returns whether any level is not zero. */
int code_luma4(const uint8_t *source, int source_stride, const uint8_t *predicted, int qp, int16_t *levels,
               uint8_t *samples, int stride);

/* ---- h264_motion.c: inter prediction, 8.4.2, and the search for motion ---- */

typedef struct {
    const uint8_t *planes[3]; /* at sample (0, 0) */
    ptrdiff_t stride, chroma_stride;
    int width, height; /* in samples, whole macroblocks */
} Reference;

/* Whether a block of that size at (x, y) may have that motion: it lies within the margin. */
int within_reach(const Reference *, int x, int y, int size, Motion);
/* Predict the block of `width` by `height` at (x, y) within the macroblock, as a part of its 384 samples. */
void predict(const Reference *, int x, int y, int width, int height, int inner_x, int inner_y, Motion, uint8_t *samples);
/* Find motion for the square block of `size` (8 or 16) at (x, y), beginning with the candidates. `source` has rows of
 * 16. Costs are sums of absolute differences and `lambda` for each bit of the difference from `expected`. Where nothing
 * near costs as little as `limit`, the search ends early. Returns the cost. */
int search(const Reference *, const uint8_t *source, int x, int y, int size, const Motion *candidates, int count,
           Motion expected, int lambda, int limit, Motion *found);
int motion_bits(int x, int y); /* about how many bits it takes to write such a difference of motion */
int difference(const uint8_t *, const uint8_t *, int width, int height); /* rows of 16, sum of absolutes */
int difference_of(const uint8_t *, const uint8_t *, int count);          /* of so many samples, a multiple of 16 */

/* ---- h264_syntax.c: the macroblock layer, 7.3.5 ---- */

enum { WHOLE, TWO_HIGH, TWO_WIDE, FOUR, INTRA16, INTRA4 }; /* 16x16; 16x8; 8x16; 8x8; and those of I macroblocks */
enum { MODE_DC = 2 };

typedef struct {
    Motion motion[4];    /* by quarter of the macroblock */
    uint8_t moved[4][2]; /* absolute mvd of each quarter, across and down, at most 255 */
    uint16_t luma_coded; /* coded_block_flag by 4x4 block, row by row */
    uint8_t chroma_coded[2]; /* the same by 4x4 block, then of DC */
    uint8_t pattern, transform8;
    uint8_t present;     /* it is of the picture */
    uint8_t intra;       /* it has no motion */
    uint8_t dc_coded;    /* coded_block_flag of luma's DC */
    uint8_t chroma_mode; /* intra_chroma_pred_mode */
    uint8_t modes[16];   /* Intra4x4PredMode by 4x4 block, row by row; DC where there is none */
} Macroblock;

typedef struct {
    int columns, rows; /* of macroblocks */
    int stride;        /* of macroblocks in the lists below: the first of each row, and the first row, are not there */
    Macroblock *macroblocks;
    uint8_t *coded;  /* by macroblock: it is not skipped */
    uint8_t *moving; /* by macroblock: some motion is not zero, or not to the picture before */
    int pictures;    /* that motion may refer to */
    int qp;          /* of the macroblock coded last */
    int changed_qp;  /* that one had an mb_qp_delta */
    int has_transform8;
} Slice;

/* What a macroblock is coded as. */
typedef struct {
    int partition, qp;
    Motion motion[4];
    uint8_t mode16, chroma_mode, modes[16]; /* the last by block in coding order */
    Residual residual;
} Choice;

void write_macroblock(Cabac *, Slice *, int at, const Choice *); /* one that is not skipped, with mb_skip_flag */
void write_skipped(Cabac *, Slice *, int at, Motion);            /* mb_skip_flag alone */
void forget(Slice *, int at); /* put the macroblock back to one that is skipped without motion */

/* ---- h264_levels.c: residual(), 7.3.5.3 ---- */

void write_luma(Cabac *, Slice *, int at, const Residual *, int dc_apart);
void write_chroma(Cabac *, Slice *, int at, const Residual *);

/* ---- h264_neighbours.c: the prediction of motion, 8.4.1 ---- */

/* The motion that is predicted for a part that refers to the picture `back`. */
Motion expected_motion(const Slice *, int at, int partition, int part, int back, const Motion *within);
Motion skipped_motion(const Slice *, int at);

/* ---- h264_intra.c: intra prediction, 8.3 ---- */

enum { AROUND = 32 }; /* stride of the samples around and within a block */

typedef struct {
    int left, above, corner, right; /* what there is; the last is above at the right */
    uint8_t luma[17 * AROUND];      /* the row above from the corner on, 25 of them, then rows with what is at the left */
    uint8_t chroma[2][9 * AROUND];
} Surroundings;

enum { MODES16 = 4, MODES4 = 9 };
/* Predict; return 0 where the mode needs samples that are not there. */
int predict16(const Surroundings *, int mode, uint8_t *samples);
int predict_chroma8(const Surroundings *, int mode, uint8_t *samples); /* both planes, 64 samples each */
typedef struct {
    uint8_t values[48]; /* what the samples of a 4x4 block may be predicted as */
    int modes;          /* a bit for each that there are samples for */
} Line;
void prepare4x4(const uint8_t *at, int left, int above, int corner, int right, Line *);
int predict4(const Line *, int mode, uint8_t *samples);
int expected_mode(const Slice *, int at, int x, int y, const uint8_t *within);

#endif
