/* Lays a linear gradient over a picture: the pixels of pixman 0.42, and others where its arithmetic is the same.
 *
 * Cairo has pixman do that for each row of each shape anew, and a general way of pixman's takes it: for a row of fifty
 * pixels it clears 24 KB of memory, looks for ways to read and write, and goes through the gradient one pixel after the
 * other. A surface in space is made of thousands of such rows.
 *
 * A pixel's position on the gradient is a number of 16.16 bits: that of the row's first pixel, cut off, plus a multiple
 * of what it changes by, cut off as well. So the color depends on where a row begins, and where the change is less than
 * one in a whole row, or over all rows, all are given the first one's.
 * pixels_same.c compares with pixman before this is used. */

#include "native.h"

#include "gradient.h"

#include <string.h>

enum { CHUNK = 256, ONE = 65536 };

static const int64_t reach = 1 << 30; /* of positions: they have to fit into 32 bits */

static struct gradient_segment segment_between(const struct gradient_stop *left, const struct gradient_stop *right,
                                               int is_outside)
{
    struct gradient_segment segment = {right->x, 0, {0}, {0}};
    const float channel = 1.0f / 257.0f, position = 1.0f / 65536.0f, full = 1.0f / 255.0f;
    const float from[4] = {left->alpha * channel, left->red * channel, left->green * channel, left->blue * channel};
    const float to[4] = {right->alpha * channel, right->red * channel, right->green * channel, right->blue * channel};
    const float start = left->x * position, end = right->x * position;
    segment.is_even = is_outside || (-FLT_MIN < end - start && end - start < FLT_MIN);
    const float inverse = segment.is_even ? 0 : 1.0f / (end - start);
    for (int i = 0; i < 4; i++) {
        segment.slope[i] = segment.is_even ? 0 : (to[i] - from[i]) * inverse * full;
        segment.base[i] = segment.is_even ? (from[i] + to[i]) / 510.0f
                                          : (from[i] * end - to[i] * start) * inverse * full;
    }
    return segment;
}

int gradient_set(struct gradient *gradient, const struct gradient_point *from, const struct gradient_point *to,
                 const struct gradient_stop *stops, int count, const struct gradient_matrix *matrix)
{
    const int32_t (*rows)[3] = matrix->rows;
    if (count < 1 || count > GRADIENT_STOPS || rows[2][0] != 0 || rows[2][1] != 0 || rows[2][2] != ONE)
        return 0;
    int64_t dx = (int64_t)to->x - from->x, dy = (int64_t)to->y - from->y;
    if (dx < -reach || dx > reach || dy < -reach || dy > reach || (dx == 0 && dy == 0))
        return 0;
    gradient->start = *from;
    gradient->extent = (struct gradient_point){(int32_t)dx, (int32_t)dy};
    gradient->matrix = *matrix;
    const int64_t length = dx * dx + dy * dy;
    gradient->scale = ONE * (double)ONE / (length * (double)ONE);
    gradient->across = (double)(dx * rows[0][0] + dy * rows[1][0]) * gradient->scale;
    gradient->down = (double)(dx * rows[0][1] + dy * rows[1][1]);
    gradient->length = ONE * (double)length;
    gradient->count = count + 1;
    for (int i = 0; i <= count; i++) {
        const struct gradient_stop *left = &stops[i > 0 ? i - 1 : 0], *right = &stops[i < count ? i : count - 1];
        gradient->segments[i] = segment_between(left, right, i == 0 || i == count);
    }
    gradient->segments[count].end = INT32_MAX;
    return 1;
}

/* Where the middle of a pixel is. 0 where the numbers are too large. */
static int position_of(const struct gradient *gradient, int x, int y, int64_t *position)
{
    const int64_t dx = gradient->extent.x, dy = gradient->extent.y;
    int64_t at[2];
    for (int i = 0; i < 2; i++) {
        const int32_t *row = gradient->matrix.rows[i];
        const int64_t halves = ((int64_t)row[0] + row[1]) * (ONE / 2);
        at[i] = (int64_t)row[0] * x + (int64_t)row[1] * y + row[2] + ((halves + ONE / 2) >> 16);
        if (at[i] < INT32_MIN || at[i] > INT32_MAX)
            return 0;
    }
    const double from_start =
        (double)(dx * at[0] + dy * at[1]) - (double)(dx * gradient->start.x + dy * gradient->start.y);
    const double exact = from_start * gradient->scale;
    if (!(exact > -(double)reach && exact < (double)reach))
        return 0;
    *position = (int64_t)exact;
    return 1;
}

static inline uint32_t color_at(const struct gradient_segment *segment, int32_t position)
{
    const float at = (float)position * (1.0f / 65536.0f);
    const float alpha = 255.0f * (segment->slope[0] * at + segment->base[0]);
    const float red = alpha * (segment->slope[1] * at + segment->base[1]);
    const float green = alpha * (segment->slope[2] * at + segment->base[2]);
    const float blue = alpha * (segment->slope[3] * at + segment->base[3]);
    return ((uint32_t)(int32_t)(alpha + 0.5f) << 24) | (((uint32_t)(int32_t)(red + 0.5f) << 16) & 0xff0000) |
           (((uint32_t)(int32_t)(green + 0.5f) << 8) & 0xff00) | ((uint32_t)(int32_t)(blue + 0.5f) & 0xff);
}

MULTIVERSIONED
static void colors_within(const struct gradient_segment *segment, int32_t start, double across, int first, int count,
                          uint32_t *colors)
{
    for (int i = 0; i < count; i++)
        colors[i] = color_at(segment, start + (int32_t)(across * (double)(first + i)));
}

static int segment_at(const struct gradient *gradient, int32_t position)
{
    int index = 0;
    while (index < gradient->count - 1 && position >= gradient->segments[index].end)
        index++;
    return index;
}

static void fill(uint32_t *colors, uint32_t color, int count)
{
    for (int i = 0; i < count; i++)
        colors[i] = color;
}

static inline int32_t position_in_row(const struct gradient *gradient, int32_t start, int index)
{
    return start + (int32_t)(gradient->across * (double)index);
}

/* How many pixels of a row, from `first` to before `end`, lie in the segment of the first one. */
static int run_of(const struct gradient *gradient, int32_t start, int first, int end, int segment)
{
    if (segment_at(gradient, position_in_row(gradient, start, end - 1)) == segment)
        return end - first;
    int within = first, beyond = end - 1; /* positions only rise, or only fall */
    while (beyond - within > 1) {
        int middle = (within + beyond) / 2;
        if (segment_at(gradient, position_in_row(gradient, start, middle)) == segment)
            within = middle;
        else
            beyond = middle;
    }
    return beyond - first;
}

/* The colors of `count` pixels, from the `first` on, of a row that begins at `start`. */
static void colors_of(const struct gradient *gradient, int32_t start, int first, int count, uint32_t *colors)
{
    for (int done = 0, run; done < count; done += run) {
        const int index = segment_at(gradient, position_in_row(gradient, start, first + done));
        const struct gradient_segment *segment = &gradient->segments[index];
        run = run_of(gradient, start, first + done, first + count, index);
        if (segment->is_even)
            fill(colors + done, color_at(segment, 0), run);
        else
            colors_within(segment, start, gradient->across, first + done, run, colors + done);
    }
}

/* Each byte times `factor` / 255, rounded; two bytes at a time. */
static inline uint32_t times(uint32_t color, uint32_t factor)
{
    uint32_t even = (color & 0xff00ff) * factor + 0x800080;
    uint32_t odd = (color >> 8 & 0xff00ff) * factor + 0x800080;
    even = ((even >> 8 & 0xff00ff) + even) >> 8 & 0xff00ff;
    odd = ((odd >> 8 & 0xff00ff) + odd) & 0xff00ff00;
    return even | odd;
}

/* Each byte no more than 255. */
static inline uint32_t plus(uint32_t a, uint32_t b)
{
    uint32_t even = (a & 0xff00ff) + (b & 0xff00ff), odd = (a >> 8 & 0xff00ff) + (b >> 8 & 0xff00ff);
    even = (even | (0x1000100 - (even >> 8 & 0xff00ff))) & 0xff00ff;
    odd = (odd | (0x1000100 - (odd >> 8 & 0xff00ff))) & 0xff00ff;
    return even | odd << 8;
}

MULTIVERSIONED
static void lay(const uint32_t *restrict colors, uint32_t *restrict pixels, int count)
{
    for (int i = 0; i < count; i++)
        pixels[i] = plus(colors[i], times(pixels[i], 255 - (colors[i] >> 24)));
}

MULTIVERSIONED
static void lay_masked(const uint32_t *restrict colors, const uint8_t *restrict mask, uint32_t *restrict pixels,
                       int count)
{
    for (int i = 0; i < count; i++) {
        uint32_t color = times(colors[i], mask[i]);
        pixels[i] = plus(color, times(pixels[i], 255 - (color >> 24)));
    }
}

static void lay_row(const struct gradient *gradient, int64_t start, const uint8_t *mask, uint32_t *pixels, int width)
{
    uint32_t colors[CHUNK];
    const int is_even = (int64_t)(gradient->across * width) == 0;
    for (int first = 0; first < width; first += CHUNK) {
        const int count = width - first < CHUNK ? width - first : CHUNK;
        if (is_even)
            fill(colors, color_at(&gradient->segments[segment_at(gradient, (int32_t)start)], (int32_t)start), count);
        else
            colors_of(gradient, (int32_t)start, first, count, colors);
        if (mask == NULL)
            lay(colors, pixels + first, count);
        else
            lay_masked(colors, mask + first, pixels + first, count);
    }
}

int gradient_over(const struct gradient *gradient, const struct gradient_target *target, const uint8_t *mask)
{
    int64_t start, last;
    const double wide = gradient->across * target->width;
    if (!(wide > -(double)reach && wide < (double)reach) || !position_of(gradient, target->x, target->y, &start) ||
        !position_of(gradient, target->x, target->y + target->height - 1, &last))
        return 0;
    const double change = target->height * (double)ONE * ONE * gradient->down / gradient->length;
    const int rows_are_alike = change > -1 && change < 1;
    for (int row = 0; row < target->height; row++) {
        if (!rows_are_alike) /* which succeeds: it lies between the first and the last */
            position_of(gradient, target->x, target->y + row, &start);
        lay_row(gradient, start, mask, target->pixels + (Py_ssize_t)row * target->stride, target->width);
    }
    return 1;
}
