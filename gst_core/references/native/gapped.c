/* Banded gapped extension: local alignments with affine gaps in a band of diagonals; see gapped.py.
 */
#include <stdlib.h>
#include <string.h>

#include "lookup.h"

enum { MOST_IN_16_BITS = 32000 };

/* Diagonals, positions in the target less positions in the query, both ends included. */
typedef struct {
    int64_t low, high;
} Band;

/* Rows, positions in the target, that a band has a cell in. */
static void rows_of(Band band, int64_t length, int64_t size, int64_t *first, int64_t *last)
{
    *first = band.low > 0 ? band.low : 0;
    *last = length - 1 + band.high < size - 1 ? length - 1 + band.high : size - 1;
}

/* Lanes of two vectors in any order. */
#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (VECTOR){__VA_ARGS__})
#endif

/* Clang does not see that a loop over lanes is one instruction of WebAssembly. */
#if defined(__clang__) && __has_builtin(__builtin_elementwise_max)
#define HAS_ELEMENTWISE 1
#else
#define HAS_ELEMENTWISE 0
#endif

#define LANES 8
#define VECTOR Lanes8
#define LARGER larger_of_8
#define ROWS rows_of_8
#define TARGET
#define UP(low, high, n) \
    SHUFFLE(low, high, 8 - n, 9 - n, 10 - n, 11 - n, 12 - n, 13 - n, 14 - n, 15 - n)
/* In two halves, which every processor can move. */
#define JOIN(low, high) (UP(zero, high, 1) | SHUFFLE(low, zero, 7, 8, 9, 10, 11, 12, 13, 14))
#define LAST(x) SHUFFLE(x, x, 7, 7, 7, 7, 7, 7, 7, 7)
#include "gapped_rows.h"

#if defined(__x86_64__) && !defined(NARROW)
#define LANES 16
#define VECTOR Lanes16
#define LARGER larger_of_16
#define ROWS rows_of_16
#define TARGET __attribute__((target("avx2")))
#define UP(low, high, n)                                                                       \
    SHUFFLE(low, high, 16 - n, 17 - n, 18 - n, 19 - n, 20 - n, 21 - n, 22 - n, 23 - n, 24 - n, \
            25 - n, 26 - n, 27 - n, 28 - n, 29 - n, 30 - n, 31 - n)
#define JOIN(low, high) UP(low, high, 1)
#define LAST(x) SHUFFLE(x, x, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15)
#include "gapped_rows.h"
#define HAS_16_LANES __builtin_cpu_supports("avx2")
#else
#define HAS_16_LANES 0
#define rows_of_16 rows_of_8
#endif

/* The bin with the highest sum, the first of equal ones; -1 where there is none. */
static int64_t best_bin(const Space *space, int64_t touched)
{
    const int32_t *sums = space->sums + 1;
    int64_t best = -1;
    for (int64_t i = 0; i < touched; i++) {
        int64_t bin = space->touched[i];
        if (best < 0 || sums[bin] > sums[best] || (sums[bin] == sums[best] && bin < best))
            best = bin;
    }
    return best;
}

/* The diagonals that the best alignment with a target may use: the bin with most seed
 * matches, and others whose matches may be worth a gap that leads there. Where there are few,
 * neighbouring words decide. */
static int choose_band(const Index *index, const Limits *limits, Space *space, Sequence query,
                       int64_t number, Band *band)
{
    const int32_t bits = limits->bin_bits, bin = 1 << bits;
    int64_t length = query.length, size = target_at(index, number).length;
    int64_t touched = add_diagonals(index, &space->exact, space, length, number, bits);
    int64_t best = best_bin(space, touched), margin = limits->margin;
    if (touched >= 0 && (best < 0 || space->sums[best + 1] < limits->few * limits->seed_score)) {
        forget_diagonals(space, touched);
        if (!space->neighbours.number && add_neighbours(index, limits, &space->neighbours, query))
            return -1;
        touched = add_diagonals(index, &space->neighbours, space, length, number, bits);
        best = best_bin(space, touched);
        margin = limits->wide_margin;
    }
    if (touched < 0)
        return -1;
    best = best < 0 ? length / bin : best;
    int64_t low = best, high = best;
    for (int64_t i = 0; i < touched; i++) {
        int64_t other = space->touched[i];
        int64_t away = bin * (other < best ? best - other : other - best);
        if (space->sums[other + 1] > limits->gap_open + away * limits->gap_extend) {
            low = other < low ? other : low;
            high = other > high ? other : high;
        }
    }
    forget_diagonals(space, touched);
    low = low * bin - length - margin;
    high = (high + 1) * bin - 1 - length + margin;
    band->low = low > 1 - length ? low : 1 - length;
    band->high = high < size - 1 ? high : size - 1;
    return 0;
}

/* Of scores in 64 bits that carry what leads to them: of equal ones the one with more matches is
 * the larger, then the one with fewer columns. */
#define POINT ((int64_t)1 << 40)
#define MATCH ((int64_t)1 << 20)

static int64_t points_of(int64_t trace) { return (trace + MATCH - 1) / POINT; }

typedef struct {
    int64_t score, matches, columns;
    int64_t query_end, target_end; /* the last residues aligned */
} Traced;

/* Trace the best alignment within a band; traces (2, query.length). */
static Traced trace(const int16_t *profile, Sequence query, Sequence target, Band band,
                    const Limits *limits, int64_t *traces)
{
    const int64_t length = query.length;
    const int64_t open = limits->gap_open * POINT + 1, extend = limits->gap_extend * POINT + 1;
    int64_t *h_cells = traces, *e_cells = traces + length, best = 0, first, last;
    Traced result = {0};
    memset(traces, 0, 2 * (size_t)length * sizeof *traces);
    rows_of(band, length, target.length, &first, &last);
    for (int64_t row = first; row <= last; row++) {
        const int16_t *scores = profile + target.codes[row] * stride_of(length);
        int64_t from = row - band.high > 0 ? row - band.high : 0;
        int64_t to = row - band.low < length - 1 ? row - band.low : length - 1;
        int64_t before = from ? h_cells[from - 1] : 0, f = 0;
        for (int64_t position = from; position <= to; position++) {
            int64_t match = query.codes[position] == target.codes[row] ? MATCH : 0;
            int64_t h = before + scores[position] * POINT + match - 1, e = e_cells[position];
            before = h_cells[position];
            h = h > e ? h : e;
            h = h > f ? h : f;
            h = h > 0 ? h : 0;
            h_cells[position] = h;
            e = e - extend > h - open ? e - extend : h - open;
            f = f - extend > h - open ? f - extend : h - open;
            e_cells[position] = e;
            if (h > best) {
                best = h;
                result.query_end = position;
                result.target_end = row;
            }
        }
    }
    result.score = points_of(best);
    best -= result.score * POINT;
    result.matches = (best + MATCH - 1) / MATCH;
    result.columns = result.matches * MATCH - best;
    return result;
}

/* Score of the best alignment of a prepared query with a target; -1 without memory. */
int64_t align(const Index *index, const Limits *limits, Space *space, Sequence query,
              int64_t number)
{
    Sequence target = target_at(index, number);
    Band band;
    if (choose_band(index, limits, space, query, number, &band))
        return -1;
    int32_t score = (HAS_16_LANES ? rows_of_16 : rows_of_8)(
        space->profile, query.length, target.codes, target.length, band, limits->gap_open,
        limits->gap_extend, space->cells);
    if (score < MOST_IN_16_BITS)
        return score;
    return trace(space->profile, query, target, band, limits, space->traces).score;
}

/* Count matches and columns of the best alignments of queries with targets. starts: where each
 * query begins in codes; rows and numbers (pairs,): which query, ascending, and which
 * target. counts (pairs, 2). */
int count_matches(const Index *index, const Limits *limits, Space *space, const uint8_t *codes,
                  const int64_t *starts, int64_t pairs, const int64_t *rows, const int32_t *numbers,
                  int64_t *counts)
{
    Sequence query = {0};
    for (int64_t pair = 0; pair < pairs; pair++) {
        int64_t row = rows[pair];
        if (pair == 0 || row != rows[pair - 1]) {
            query = (Sequence){codes + starts[row], starts[row + 1] - starts[row]};
            if (room_for_query(space, query.length) || prepare_query(index, limits, space, query))
                return -1;
        }
        Band band;
        if (choose_band(index, limits, space, query, numbers[pair], &band))
            return -1;
        Traced traced = trace(space->profile, query, target_at(index, numbers[pair]), band, limits,
                              space->traces);
        counts[2 * pair] = traced.matches;
        counts[2 * pair + 1] = traced.columns;
    }
    return 0;
}

/* Show the best alignment of a query with a target. shown (6,): matches, columns, and the
 * first and the last residue of each, of the query first. */
int show(const Index *index, const Limits *limits, Space *space, const uint8_t *codes,
         int64_t length, int64_t number, int64_t *shown)
{
    Sequence query = {codes, length}, target = target_at(index, number);
    Band band;
    if (room_for_query(space, length) || prepare_query(index, limits, space, query) ||
        choose_band(index, limits, space, query, number, &band))
        return -1;
    Traced end = trace(space->profile, query, target, band, limits, space->traces);
    memset(shown, 0, 6 * sizeof *shown);
    if (!end.score)
        return 0;
    /* Read backwards from where it ends, the alignment ends where it began. */
    int64_t residues = end.query_end + 1, others = end.target_end + 1;
    uint8_t *backwards = malloc((size_t)(residues + others));
    if (!backwards)
        return -1;
    for (int64_t i = 0; i < residues; i++)
        backwards[i] = codes[end.query_end - i];
    for (int64_t i = 0; i < others; i++)
        backwards[residues + i] = target.codes[end.target_end - i];
    query = (Sequence){backwards, residues};
    target = (Sequence){backwards + residues, others};
    Band mirrored = {others - residues - band.high, others - residues - band.low};
    int failed = prepare_query(index, limits, space, query);
    Traced begin = trace(space->profile, query, target, mirrored, limits, space->traces);
    free(backwards);
    int64_t result[] = {end.matches,
                        end.columns,
                        end.query_end - begin.query_end,
                        end.query_end,
                        end.target_end - begin.target_end,
                        end.target_end};
    memcpy(shown, result, sizeof result);
    return failed;
}
