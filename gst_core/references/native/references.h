/* What is known of references, what to look for, and the space to do it in.
 *
 * All of it in C does what portable.py does, faster and without Python's lock. Sums are of whole
 * numbers, so that both find the same references, to the bit.
 */
#ifndef GST_REFERENCES_H
#define GST_REFERENCES_H

#include <stdint.h>

enum {
    LETTERS = 20,                                  /* of words: the common residues */
    WORDS = LETTERS * LETTERS * LETTERS * LETTERS, /* four residues at the offsets 0, 1, 3, 4 */
    SPAN = 5,
    RESIDUES = 22,                                 /* plain residue codes: B and X as well */
    STEP = 16,                                     /* cells of an alignment made together */
};

/* References and the index of their words; compiled.py's _Index has the same fields. */
typedef struct {
    int64_t size, wide;
    const uint8_t *codes;       /* plain residues of all */
    const int64_t *starts;      /* (size + 1,): where each begins */
    const int32_t *classes;     /* (size,): of its symbol */
    const int8_t *letters;      /* (RESIDUES,): of words; the first LETTERS as they are, -1 for X */
    const int32_t *word_starts; /* (WORDS + 1,): where the postings of each word begin */
    /* Numbers of references, ascending for each word: uint16_t, or where they are wide uint32_t. */
    const void *postings;
    const int32_t *weights;     /* (WORDS,) */
    const float *inverse_root;  /* (size,): 1 over the root of the length */
    const int8_t *scores;       /* (RESIDUES, RESIDUES): what aligning two residues scores */
    /* (LETTERS, LETTERS): what replacing one letter by another scores in a search, and for each
     * letter all of them by falling score. */
    const int8_t *substitutions, *order;
    /* (size,): keys of the references' sequences, ascending, and whose they are; see identical.py. */
    const uint64_t *keys;
    const int32_t *by_key;
} Index;

/* See postings.py, lookup.py, identical.py and alignment.py, which name and explain them. */
typedef struct {
    int32_t common, budget, budget_per_word, parts, shortest;
    float least;
    int32_t found, aligned, tried, searched, rivals, sure, similar, identical;
    double worth, doubtful, weak, unexpected, lambda, kappa, ungapped_lambda, ungapped_kappa;
    int32_t alike, more_alike, tallied, block, probed, ranked, places_of_word, places_of_all;
    int32_t judged, gap_open, gap_extend, bin_bits, few, margin, wide_margin, word_worth;
} Limits;

/* A word of a protein: where its postings begin, how many there are, and its weight. */
typedef struct {
    int32_t start, size, weight;
} Word;

typedef struct {
    float score;
    int32_t reference;
} Hit;

/* A word that a protein has at a place, or one like it, and what replacing it scores. next: the
 * row, from 1, with the same word at another place; 0: there is none. */
typedef struct {
    int32_t word, place, score;
    uint32_t next;
} Row;

/* The rows of a word: the first of them, from 1, and how many there are. Rows are at most
 * `places_of_all` and the words like those of one more place, 2^20 and WORDS, fewer than 2^22; those
 * of one word at most `places_of_word`, 512, less than 2^10. */
typedef struct {
    uint32_t first : 22, number : 10;
} Chain;

/* Words by which places of a protein are found. */
typedef struct {
    uint32_t *marked; /* (WORDS / 32 + 1,): whether there is a row of a word, in its bits */
    Chain *chains;   /* (WORDS,) */
    Row *rows;
    int64_t number, room;
} Places;

/* What one thread works in; arrays grow as they need to. Those marked 0 are so between calls. */
typedef struct {
    int32_t *tally;    /* (references,) 0 */
    int64_t *sizes;    /* (common + 1,) */
    Hit *hits;         /* (references + 1,) */
    Places same, alike; /* of the protein at work: its words, and those like them, if asked for */
    int64_t length;    /* residues of a protein for which there is room */
    Word *words;       /* (length,) */
    int16_t *profile;  /* (RESIDUES, stride): what each residue scores at each place */
    int16_t *cells;    /* (2, stride) */
    int64_t *traces;   /* (2, length) */
    int64_t diagonals; /* for which there is room */
    int32_t *sums;     /* (diagonals,) 0 */
    int32_t *touched;  /* (diagonals,) */
    int16_t *pairs;    /* (diagonals,) */
    int32_t *words_of_reference; /* (diagonals,) */
    int32_t *common;   /* (diagonals,) */
} Space;

/* A protein at work. */
typedef struct {
    const uint8_t *codes;
    int64_t length;
} Protein;

/* The number of the word that begins here; -1 where a residue has no letter. */
static inline int32_t word_at(const uint8_t *codes, const int8_t *letters)
{
    int32_t a = letters[codes[0]], b = letters[codes[1]];
    int32_t c = letters[codes[3]], d = letters[codes[4]];
    return (a | b | c | d) < 0 ? -1 : ((a * LETTERS + b) * LETTERS + c) * LETTERS + d;
}

/* Add a weight for each posting from `first` up to `last` to its reference. */
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

static inline Protein reference_at(const Index *index, int64_t number)
{
    int64_t start = index->starts[number];
    return (Protein){index->codes + start, index->starts[number + 1] - start};
}

/* Places in a row of a profile: whole steps. */
static inline int64_t stride_of(int64_t length) { return (length + STEP - 1) / STEP * STEP; }

/* All functions that return an int return 0, or -1 without memory; those that return how many there
 * are of something return -1 as well. */

/* space.c */
int room_for_protein(Space *space, int64_t length);
int room_for_diagonals(Space *space, int64_t number);
int room_for_row(Places *places);

/* words.c */
int64_t search(const Index *index, const Limits *limits, Space *space, const uint8_t *hidden,
               int64_t most, int32_t *found, int32_t *shared, int64_t *sums);
int64_t select_hits(Hit *hits, int64_t number, int64_t most);
int64_t best_hits(Hit *hits, int64_t number, int64_t most);

/* places.c */
int place_words(const Index *index, const Limits *limits, Places *places, Protein protein);
int place_similar(const Index *index, const Limits *limits, Places *places, Protein protein);
void clear(Places *places);
int64_t add_diagonals(const Index *index, const Places *places, Space *space, int64_t length,
                      int64_t number, int bits);
void forget_diagonals(Space *space, int64_t touched);

/* identical.c */
int64_t find_identical(const Index *index, const Limits *limits, Protein protein,
                       const uint8_t *hidden, int32_t *found);

/* similar.c */
int64_t search_similar(const Index *index, const Limits *limits, Space *space, Protein protein,
                       const uint8_t *hidden, int32_t *found);

int32_t best_segment(const Index *index, Space *space, Protein protein, const Places *places,
                     int64_t number);
double by_chance(const Index *index, const Limits *limits, Protein protein, double lambda,
                 double kappa);

/* alignment.c */
int prepare(const Index *index, const Limits *limits, Space *space, Protein protein);
int64_t align(const Index *index, const Limits *limits, Space *space, Protein protein,
              int64_t number);

#endif
