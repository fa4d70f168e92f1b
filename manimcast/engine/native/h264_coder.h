/* The state of a coder of P pictures, and what the files that work on it share. */

#ifndef MANIMCAST_H264_CODER_H
#define MANIMCAST_H264_CODER_H

#include "native.h"

#include "h264.h"

/* What a macroblock was reconstructed as, until the picture is done: it refers to the picture before. */
typedef struct {
    int column, row;
    uint8_t samples[384];
} Patch;

/* What a macroblock has looked like before: a hash of it, and how many pictures were looked at when it last did. */
typedef struct {
    uint32_t hash, last;
} Looks;

/* Memory of a picture, and which one it is. */
typedef struct {
    uint8_t *planes[3];
    Reference reference;
    uint32_t number;
} Store;

typedef struct {
    int width, height; /* of what is shown, in samples */
    int qp_offsets[2]; /* chroma_qp_index_offset, second_chroma_qp_index_offset */
    Slice slice;
    Store stores[MOST_PICTURES];
    int order[MOST_PICTURES]; /* where the picture before is, the one before that, ... */
    int kept, to_keep;        /* how many are there, and how many shall be */
    uint32_t number, begun;   /* of the picture before, and of the one that had none before it */
    uint32_t *coded_in;       /* by macroblock: the number of the picture in which it was coded last */
    uint8_t *source[3]; /* the picture to be coded, of whole macroblocks, without margin */
    uint8_t *changed;   /* by macroblock, of the picture to be coded: it differs from the picture before */
    Looks (*looks)[MOST_PICTURES + 1]; /* by macroblock, the newest first */
    uint32_t looked;    /* how many pictures were looked at */
    uint8_t *waits;     /* by macroblock: after how many pictures it is refined; 0 is never */
    Motion *past;       /* by macroblock: the last motion that was found */
    int *touched;       /* macroblocks that are not skipped without motion, to be forgotten */
    int touched_count;
    int *patch_of; /* by macroblock: the patch of this picture, counted from 1; 0 is none */
    Patch *patches;
    int patch_count, patch_capacity;
} Coder;

typedef struct {
    int column, row, at; /* `at` in the slice's lists */
    int qp;
    uint8_t source[384];
} Work;

/* ---- h264_state.c ---- */

Coder *coder_new(int width, int height); /* NULL when memory is short */
void coder_free(Coder *);

/* ---- h264_source.c ---- */

/* Take over the picture to be coded where it differs, from the row `first` to before `end`. Return how many macroblocks
 * do, and how many of those look as they did in one of the last pictures, beside the one before. */
int take_source_rows(Coder *, const uint8_t *const planes[3], const Py_ssize_t strides[3], int first, int end, int *again);

/* ---- h264_pictures.c: the pictures that motion may refer to ---- */

int pictures_new(Coder *);
void pictures_free(Coder *);
void pictures_begin(Coder *, const uint8_t *const planes[3], const Py_ssize_t strides[3]); /* there is none before */
void pictures_advance(Coder *); /* the picture with the patches is done: it is the one before now */
static inline const Reference *picture_before(const Coder *k, int back)
{
    return &k->stores[k->order[back]].reference;
}

/* ---- h264_choose.c: what a macroblock is coded as ---- */

enum { LIGHT = 30 }; /* differences, in units of a bit's worth, for which nothing finer is tried */
int64_t bit_worth(int qp); /* in squared error, in 256ths */
int root_worth(int qp);    /* in absolute differences */
void stand_in(const Coder *, int column, int row, uint8_t *samples); /* the samples of the picture before */
uint32_t count_bits(const Coder *, const Cabac *, const Work *, const Choice *); /* in 256ths */
/* Choose what the macroblock is coded as, beside being skipped, for whose motion `skipped` is. Return whether it is
 * to be skipped; the samples are in the choice in any case. */
int choose(const Coder *, const Cabac *, const Work *, Motion skipped, Choice *);
/* The same for one that has not changed since it was coded: only what it still lacks is coded. */
int choose_refinement(const Coder *, const Cabac *, const Work *, Motion skipped, Choice *);

/* ---- h264_choose_inter.c: motion ---- */

int find_motion(const Coder *, const Work *, Choice *); /* returns differences and what the motion costs */
void find_partition(const Coder *, const Work *, Choice *);
void predict_all(const Coder *, const Work *, const Choice *, uint8_t *samples);

/* ---- h264_choose_intra.c: intra prediction ---- */

void look_around(const Coder *, const Work *, Surroundings *);
int find_intra16(const Work *, const Surroundings *, Choice *, uint8_t *predicted); /* returns differences */
/* Code it so; `chroma` is the squared error of what was coded of that. Return squared error, or that and bits in 256ths. */
int64_t code_intra_chroma(const Coder *, const Work *, const Surroundings *, Choice *, uint8_t *predicted);
int64_t code_intra16(const Coder *, const Cabac *, const Work *, int64_t chroma, const uint8_t *predicted, Choice *);
int64_t code_intra4(const Coder *, const Cabac *, const Work *, Surroundings *, int64_t chroma, Choice *);

/* ---- h264_slice.c ---- */

enum { MOST_BYTES = 8192 }; /* more than one macroblock can take: 384 levels of at most 136 bits, and what precedes them */

typedef struct {
    uint8_t *memory;
    size_t size;
} Output;

typedef struct {
    int qp, refined_qp, wait;
} Plan;

/* Write the data of the slice. Returns how many bytes, 0 when memory is short. */
size_t code_picture(Coder *, const Plan *, Output *);

#endif
