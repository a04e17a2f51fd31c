/* Where a protein has words, or words like them, and on which diagonals a reference has them. */
#include "references.h"

/* Add a place of a word, unless it has as many as it may: of W's alone each is like each. */
static int add_row(const Limits *limits, Places *places, int32_t word, int64_t place,
                   int32_t score)
{
    Chain *chain = places->chains + word;
    if ((int32_t)chain->number == limits->places_of_word)
        return 0;
    if (places->number == places->room && room_for_row(places))
        return -1;
    places->rows[places->number++] = (Row){word, (int32_t)place, score, chain->first};
    chain->first = (uint32_t)places->number;
    chain->number++;
    places->marked[word / 32] |= 1u << word % 32;
    return 0;
}

/* Make a row of each word of a protein. */
int place_words(const Index *index, const Limits *limits, Places *places, Protein protein)
{
    for (int64_t place = 0; place + SPAN <= protein.length; place++) {
        int32_t word = word_at(protein.codes + place, index->letters);
        if (word >= 0 && add_row(limits, places, word, place, limits->word_worth))
            return -1;
    }
    return 0;
}

/* Make a row of each word like one of a protein; see portable_index.similar_words. */
int place_similar(const Index *index, const Limits *limits, Places *places, Protein protein)
{
    const int32_t least = limits->alike;
    static const int offsets[] = {0, 1, 3, 4};
    for (int64_t place = 0; place + SPAN <= protein.length; place++) {
        if (places->number >= limits->places_of_all)
            break;
        const uint8_t *codes = protein.codes + place;
        if (word_at(codes, index->letters) < 0)
            continue;
        /* Of each of the four letters: the scores of others, their order, and the best that the
         * letters to the right can add. */
        const int8_t *row[4], *by_score[4];
        int best[4] = {0};
        for (int i = 3; i >= 0; i--) {
            int letter = index->letters[codes[offsets[i]]];
            row[i] = index->substitutions + letter * LETTERS;
            by_score[i] = index->order + letter * LETTERS;
            if (i)
                best[i - 1] = best[i] + row[i][by_score[i][0]];
        }
        for (int i = 0; i < LETTERS; i++) {
            int a = by_score[0][i], first = row[0][a];
            if (first + best[0] < least)
                break;
            for (int j = 0; j < LETTERS; j++) {
                int b = by_score[1][j], second = first + row[1][b];
                if (second + best[1] < least)
                    break;
                for (int k = 0; k < LETTERS; k++) {
                    int c = by_score[2][k], third = second + row[2][c];
                    if (third + best[2] < least)
                        break;
                    for (int l = 0; l < LETTERS; l++) {
                        int d = by_score[3][l], score = third + row[3][d];
                        if (score < least)
                            break;
                        int32_t word = ((a * LETTERS + b) * LETTERS + c) * LETTERS + d;
                        if (add_row(limits, places, word, place, score))
                            return -1;
                    }
                }
            }
        }
    }
    return 0;
}

/* Take all rows away. */
void clear(Places *places)
{
    for (int64_t i = 0; i < places->number; i++) {
        places->chains[places->rows[i].word] = (Chain){0};
        places->marked[places->rows[i].word / 32] = 0;
    }
    places->number = 0;
}

/* The numbers of all words of a reference that has residues without a letter, or B. */
static void uncommon_words(const Index *index, Protein reference, int32_t *words)
{
    for (int64_t place = 0; place + SPAN <= reference.length; place++) {
        int32_t word = word_at(reference.codes + place, index->letters);
        words[place] = word < 0 ? WORDS : word;
    }
}

/* Find the places of a reference that have words of which there are rows; without a branch that
 * depends on it, since they are there by chance. Returns how many there are. */
static int64_t common_words(const Index *index, const Places *places, Space *space,
                            Protein reference)
{
    const uint8_t *codes = reference.codes;
    int64_t ends = reference.length - SPAN + 1, number = 0;
    int16_t *pairs = space->pairs;
    int32_t *words = space->words_of_reference, *common = space->common;
    uint8_t highest = 0;
    if (ends <= 0)
        return 0;
    /* Loops as plain as can be, which compilers turn into vectors. */
    for (int64_t place = 0; place < reference.length; place++)
        highest = codes[place] > highest ? codes[place] : highest;
    if (highest >= LETTERS) {
        uncommon_words(index, reference, words);
    } else { /* codes are the letters' numbers */
        for (int64_t place = 0; place < ends + 3; place++)
            pairs[place] = (int16_t)(codes[place] * LETTERS + codes[place + 1]);
        for (int64_t place = 0; place < ends; place++)
            words[place] = pairs[place] * (LETTERS * LETTERS) + pairs[place + 3];
    }
    const uint32_t *marked = places->marked;
    for (int64_t place = 0; place < ends; place++) {
        common[number] = (int32_t)place;
        number += marked[words[place] / 32] >> words[place] % 32 & 1;
    }
    return number;
}

/* Add up the scores of the rows that a protein of some length and a reference have in common, for
 * each bin of 2 ** bits diagonals: places in the reference less places in the protein, from
 * -length on. space->touched: the bins; space->sums + 1: the sums. Returns how many bins there
 * are. */
int64_t add_diagonals(const Index *index, const Places *places, Space *space, int64_t length,
                      int64_t number, int bits)
{
    Protein reference = reference_at(index, number);
    if (room_for_diagonals(space, length + reference.length + 2))
        return -1;
    int64_t common = common_words(index, places, space, reference), touched = 0;
    int32_t *sums = space->sums + 1;
    const int32_t *words = space->words_of_reference;
    for (int64_t i = 0; i < common; i++) {
        int64_t place = space->common[i] + length;
        for (uint32_t at = places->chains[words[space->common[i]]].first; at;) {
            Row row = places->rows[at - 1];
            int64_t diagonal = (place - row.place) >> bits;
            if (!sums[diagonal])
                space->touched[touched++] = (int32_t)diagonal;
            sums[diagonal] += row.score;
            at = row.next;
        }
    }
    return touched;
}

/* Leave the space as it was before. */
void forget_diagonals(Space *space, int64_t touched)
{
    for (int64_t i = 0; i < touched; i++)
        space->sums[space->touched[i] + 1] = 0;
}
