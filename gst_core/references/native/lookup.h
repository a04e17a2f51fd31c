/* The look-up in C: what is known of targets, what to look for, and the space to do it in.
 *
 * Its stages do what the modules of the same names do in numpy, faster and without Python's lock:
 * seeds.c, index.c, prefilter.c, neighbourhood.c, diagonals.c, ungapped.c, sensitive.c, gapped.c
 * and identical.c. lookup.c, as portable.py, takes a query through them. Sums are of whole numbers,
 * so that both find the same targets, to the bit.
 */
#ifndef GST_LOOKUP_H
#define GST_LOOKUP_H

#include <stdint.h>

enum {
    LETTERS = 20,                                  /* of seeds: the common residues */
    SEEDS = LETTERS * LETTERS * LETTERS * LETTERS, /* four residues at the offsets 0, 1, 3, 4 */
    SPAN = 5,
    RESIDUES = 22, /* plain residue codes: B and X as well */
    STEP = 16,     /* cells of an alignment made together */
    SOON = 8,      /* seeds whose postings are asked for ahead */
};

/* Targets, which are the references, and the index of their seeds; structures.py's Index has the
 * same fields. */
typedef struct {
    int64_t size, wide;
    const uint8_t *codes;       /* plain residues of all */
    const int64_t *starts;      /* (size + 1,): where each begins */
    const int32_t *classes;     /* (size,): of its symbol */
    const int8_t *letters;      /* (RESIDUES,): of seeds; the first LETTERS as they are, -1 for X */
    const int32_t *seed_starts; /* (SEEDS + 1,): where the postings of each seed begin */
    /* Numbers of targets, ascending for each seed: uint16_t, or where they are wide uint32_t. */
    const void *postings;
    const int32_t *weights;    /* (SEEDS,) */
    const float *inverse_root; /* (size,): 1 over the root of the length */
    const int8_t *scores;      /* (RESIDUES, RESIDUES): what aligning two residues scores */
    /* (LETTERS, LETTERS): what replacing one letter by another scores in a search, and for each
     * letter all of them by falling score. */
    const int8_t *substitutions, *order;
    /* (size,): keys of the targets' sequences, ascending, and whose they are; see identical.py. */
    const uint64_t *keys;
    const int32_t *by_key;
} Index;

/* The modules of the stages name and explain them; structures.py's Limits has the same fields. */
typedef struct {
    int32_t common, budget, budget_per_seed, parts, shortest;
    float least;
    int32_t found, aligned, searched, competing, best_by_seeds, sensitive, identical;
    double worth, doubtful, weak, chance, lambda, kappa;
    int32_t neighbour_score, tally_score, tallied, block, next_block, probed, ranked;
    int32_t positions_of_seed, positions_of_all;
    int32_t judged, gap_open, gap_extend, bin_bits, few, margin, wide_margin, seed_score;
} Limits;

/* A seed of a query: where its postings begin, how many there are, and its weight. */
typedef struct {
    int32_t start, size, weight;
} Seed;

typedef struct {
    float score;
    int32_t target;
} Hit;

/* A seed that a query has at a position, or a neighbour of it, and what a match of it scores. */
typedef struct {
    int32_t seed, position, score;
} Entry;

typedef struct {
    int32_t position, score;
} Match;

/* The positions of a query by seed, in as little memory as can be: targets are held against it
 * residue by residue. Entries come as they are added; the rest is made of them by finish_table. */
typedef struct {
    Entry *entries;   /* (number,) */
    int32_t *counts;  /* (SEEDS,) 0: of entries, while they are added */
    uint64_t *marked; /* (SEEDS / 64 + 1,): whether there is an entry of a seed, in its bits */
    int32_t *before;  /* (SEEDS / 64 + 1,): seeds that have entries before the first of each */
    int32_t *seeds;   /* (different,): those that have entries, ascending */
    int32_t *firsts;  /* (different + 1,): where the matches of each of them begin */
    Match *matches;   /* (number,): those of one seed by position */
    int64_t number, different, room;
} SeedTable;

/* What one thread works in; arrays grow as they need to. Those marked 0 are so between calls. */
typedef struct {
    int32_t *tally;         /* (targets,) 0 */
    float *lengths;         /* (targets,) */
    int64_t *sizes;         /* (common + 1,) */
    Hit *hits;              /* (targets + 1,) */
    int32_t *best_diagonals; /* (targets,): of those that the sensitive search has looked at */
    SeedTable exact;        /* the seeds of the query at work */
    SeedTable neighbours;   /* and those like them, once they were asked for */
    int64_t length;         /* residues of a query for which there is room */
    Seed *seeds;            /* (length,) */
    int16_t *profile;       /* (RESIDUES, stride): what each residue scores at each position */
    int16_t *cells;         /* (2, stride) */
    int64_t *traces;        /* (2, length) */
    int64_t diagonals;      /* for which there is room */
    int32_t *sums;          /* (diagonals,) 0 */
    int32_t *touched;       /* (diagonals,) */
    uint16_t *pairs;        /* (diagonals,) */
    uint32_t *target_seeds; /* (diagonals,) */
    int32_t *common;        /* (diagonals,) */
} Space;

/* A diagonal, positions in the target less positions in the query, and what the seed matches on it
 * and beside it score. */
typedef struct {
    int32_t sum, number;
} Diagonal;

/* A query, or a target. */
typedef struct {
    const uint8_t *codes;
    int64_t length;
} Sequence;

/* The number of the seed that begins here; -1 where a residue has no letter. */
static inline int32_t seed_at(const uint8_t *codes, const int8_t *letters)
{
    int32_t a = letters[codes[0]], b = letters[codes[1]];
    int32_t c = letters[codes[3]], d = letters[codes[4]];
    return (a | b | c | d) < 0 ? -1 : ((a * LETTERS + b) * LETTERS + c) * LETTERS + d;
}

/* Ask for the postings from `first` up to `last` some time before they are needed: they are all
 * over the memory. */
static inline void prefetch_postings(const Index *index, int64_t first, int64_t last)
{
    int64_t bytes = index->wide ? sizeof(uint32_t) : sizeof(uint16_t);
    for (int64_t at = first * bytes; at < last * bytes; at += 64)
        __builtin_prefetch((const char *)index->postings + at);
}

/* Add a weight for each posting from `first` up to `last` to its target. */
static inline void tally_postings(const Index *index, int32_t first, int32_t last, int32_t weight,
                                  int32_t *tally)
{
    const uint16_t *narrow = index->postings;
    const uint32_t *wide = index->postings;
    if (index->wide)
        for (int32_t at = first; at < last; at++)
            tally[wide[at]] += weight;
    else
        for (int32_t at = first; at < last; at++)
            tally[narrow[at]] += weight;
}

static inline Sequence target_at(const Index *index, int64_t number)
{
    int64_t start = index->starts[number];
    return (Sequence){index->codes + start, index->starts[number + 1] - start};
}

/* Functions are compiled twice where a processor may have wider vectors: the bodies are the same.
 */
#if defined(__x86_64__) && !defined(NARROW)
#define WIDE __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define HAS_WIDE (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
#else
#define WIDE
#define HAS_WIDE 0
#endif
#define BODY static inline __attribute__((always_inline))

/* Positions in a row of a profile: whole steps. */
static inline int64_t stride_of(int64_t length) { return (length + STEP - 1) / STEP * STEP; }

/* All functions that return an int return 0, or -1 without memory; those that return how many there
 * are of something, or a score, return -1 as well. */

/* space.c */
int room_for_query(Space *space, int64_t length);
int room_for_diagonals(Space *space, int64_t number);
int room_for_entry(SeedTable *table);

/* query.c */
int prepare_query(const Index *index, const Limits *limits, Space *space, Sequence query);

/* seeds.c */
/* Add a position of a seed, unless it has as many as it may: of W's alone each is like each. */
static inline int add_entry(const Limits *limits, SeedTable *table, int32_t seed, int64_t position,
                            int32_t score)
{
    if (table->counts[seed] == limits->positions_of_seed)
        return 0;
    if (table->number == table->room && room_for_entry(table))
        return -1;
    table->entries[table->number++] = (Entry){seed, (int32_t)position, score};
    table->counts[seed]++;
    table->marked[seed / 64] |= UINT64_C(1) << seed % 64;
    return 0;
}

/* Which of the seeds that have entries one is. */
static inline int32_t rank_of(const SeedTable *table, uint32_t seed)
{
    uint64_t lower = table->marked[seed / 64] & ((UINT64_C(1) << seed % 64) - 1);
    return table->before[seed / 64] + __builtin_popcountll(lower);
}

int add_seeds(const Index *index, const Limits *limits, SeedTable *table, Sequence query);
void finish_table(SeedTable *table);
void clear_table(SeedTable *table);

/* hits.c */
int64_t select_hits(Hit *hits, int64_t number, int64_t most);
int64_t best_hits(Hit *hits, int64_t number, int64_t most);

/* prefilter.c */
int64_t prefilter(const Index *index, const Limits *limits, Space *space, const uint8_t *hidden,
                  int64_t most, int32_t *found, int32_t *shared, int64_t *sums);

/* identical.c */
int64_t find_identical(const Index *index, const Limits *limits, Sequence query,
                       const uint8_t *hidden, int32_t *found);

/* neighbourhood.c */
int add_neighbours(const Index *index, const Limits *limits, SeedTable *table, Sequence query);

/* diagonals.c */
int64_t add_diagonals(const Index *index, const SeedTable *table, Space *space, int64_t length,
                      int64_t number, int bits);
void forget_diagonals(Space *space, int64_t touched);
Diagonal best_diagonal(const Index *index, const SeedTable *table, Space *space, int64_t length,
                       int64_t number);

/* ungapped.c */
double ungapped_cutoff(const Index *index, const Limits *limits, Sequence query);
int32_t extend_ungapped(const Index *index, const Space *space, Sequence query, int64_t number,
                        int64_t diagonal);

/* sensitive.c */
int64_t search_sensitively(const Index *index, const Limits *limits, Space *space, Sequence query,
                           const uint8_t *hidden, int32_t *found);

/* gapped.c */
int64_t align(const Index *index, const Limits *limits, Space *space, Sequence query,
              int64_t number);

#endif
