/* The rows of one alignment, LANES cells at a time: gapped.c includes it once for each width of
 * vectors. VECTOR, LARGER and ROWS are the names of the width's type and functions, TARGET what the
 * compiler may use. UP moves lanes up, those of another vector coming in; LAST repeats the last. */

typedef int16_t VECTOR __attribute__((vector_size(2 * LANES), may_alias));

TARGET static inline VECTOR LARGER(VECTOR a, VECTOR b)
{
#if HAS_ELEMENTWISE
    return __builtin_elementwise_max(a, b);
#else
    VECTOR larger;
    for (int lane = 0; lane < LANES; lane++)
        larger[lane] = a[lane] > b[lane] ? a[lane] : b[lane];
    return larger;
#endif
}

/* The best score within a band (Gotoh 1982); right up to MOST_IN_16_BITS. cells (2, stride). */
TARGET static int32_t ROWS(const int16_t *profile, int64_t length, const uint8_t *target,
                           int64_t size, Band band, int32_t open, int32_t extend, int16_t *cells)
{
    const VECTOR zero = {0};
    const VECTOR opening = zero + (int16_t)open, extension = zero + (int16_t)extend;
    const VECTOR across = zero + (int16_t)(LANES * extend);
    VECTOR to_lane, best = zero;
    for (int lane = 0; lane < LANES; lane++)
        to_lane[lane] = (int16_t)(lane * extend);
    int64_t stride = stride_of(length), first, last;
    /* Of the row before: H, and E, the best that ends with a gap in the query. */
    int16_t *h_cells = cells, *e_cells = cells + stride;
    memset(cells, 0, 2 * (size_t)stride * sizeof *cells);
    rows_of(band, length, size, &first, &last);
    for (int64_t row = first; row <= last; row++) {
        const int16_t *scores = profile + target[row] * stride;
        /* Whole steps: the same cells whatever the width. */
        int64_t from = row - band.high > 0 ? (row - band.high) / STEP * STEP : 0;
        int64_t to = row - band.low < length - 1 ? row - band.low : length - 1;
        to = (to / STEP + 1) * STEP;
        /* gap: F at the first lane, the best that ends with a gap in the target. */
        VECTOR before = zero, gap = zero;
        for (int64_t position = from; position < to; position += LANES) {
            VECTOR old = *(VECTOR *)(h_cells + position), e = *(VECTOR *)(e_cells + position);
            VECTOR h = JOIN(before, old) + *(const VECTOR *)(scores + position);
            before = old;
            h = LARGER(LARGER(h, e), zero);
            /* A gap of up to 1, 2, 4, ... residues, from the lanes of this vector. Zeros come in
             * from the left: they change nothing, since no cell is negative. */
            VECTOR opened = h - opening, f = UP(zero, opened, 1);
            f = LARGER(f, UP(zero, f, 1) - extension);
            f = LARGER(f, UP(zero, f, 2) - 2 * extension);
            f = LARGER(f, UP(zero, f, 4) - 4 * extension);
#if LANES > 8
            f = LARGER(f, UP(zero, f, 8) - 8 * extension);
#endif
            h = LARGER(h, LARGER(f, gap - to_lane));
            gap = LARGER(LAST(LARGER(f - extension, opened)), gap - across);
            *(VECTOR *)(h_cells + position) = h;
            *(VECTOR *)(e_cells + position) = LARGER(e - extension, h - opening);
            best = LARGER(best, h);
        }
    }
    int32_t highest = 0;
    for (int lane = 0; lane < LANES; lane++)
        highest = best[lane] > highest ? best[lane] : highest;
    return highest;
}

#undef LANES
#undef VECTOR
#undef LARGER
#undef ROWS
#undef TARGET
#undef UP
#undef JOIN
#undef LAST
