/* Sub-pixel scaling of one 8-bit plane without rotation: bilinear, separable, positions in 16.16 fixed point.
 *
 * out(x, y) = source(ax * x + bx, ay * y + by), borders replicated. Rows are blended first over the span that is
 * needed, then columns; weights have eight bits. With AVX2 the columns are gathered eight at a time.
 * All sums are exact integers, so both paths give the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>

#define LIMIT 16384

static inline int clamp(int value, int last) { return value < 0 ? 0 : value > last ? last : value; }

static void blend_rows(const uint8_t *upper, const uint8_t *lower, int weight, uint16_t *out, int count) {
    const uint16_t w1 = (uint16_t)weight, w0 = (uint16_t)(256 - weight);
    for (int i = 0; i < count; i++) out[i] = (uint16_t)(upper[i] * w0 + lower[i] * w1);
}

static void pick_scalar(const uint16_t *row, const int32_t *index, const int32_t *weight, uint8_t *out, int from, int width) {
    for (int x = from; x < width; x++) {
        const uint32_t left = row[index[x]], right = row[index[x] + 1];
        out[x] = (uint8_t)((left * (256 - weight[x]) + right * weight[x] + 32768) >> 16);
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
__attribute__((target("avx2")))
static int pick_avx2(const uint16_t *row, const int32_t *index, const int32_t *weight, uint8_t *out, int width) {
    const __m256i full = _mm256_set1_epi32(256), half = _mm256_set1_epi32(32768), low = _mm256_set1_epi32(0xffff);
    const __m256i order = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                           0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    int x = 0;
    for (; x + 8 <= width; x += 8) {
        const __m256i at = _mm256_loadu_si256((const __m256i *)(index + x));
        const __m256i w = _mm256_loadu_si256((const __m256i *)(weight + x));
        const __m256i pair = _mm256_i32gather_epi32((const int *)row, at, 2);
        const __m256i left = _mm256_and_si256(pair, low), right = _mm256_srli_epi32(pair, 16);
        __m256i sum = _mm256_mullo_epi32(left, _mm256_sub_epi32(full, w));
        sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(right, w));
        sum = _mm256_srli_epi32(_mm256_add_epi32(sum, half), 16);
        const __m256i bytes = _mm256_shuffle_epi8(sum, order);
        *(int32_t *)(out + x) = _mm256_extract_epi32(bytes, 0);
        *(int32_t *)(out + x + 4) = _mm256_extract_epi32(bytes, 4);
    }
    return x;
}
static int has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#else
static int pick_avx2(const uint16_t *row, const int32_t *index, const int32_t *weight, uint8_t *out, int width) {
    (void)row; (void)index; (void)weight; (void)out; (void)width;
    return 0;
}
static int has_avx2(void) { return 0; }
#endif

/* Returns 0, or -1 for sizes that are out of range. Strides are in bytes. */
int resample_plane(const uint8_t *source, int source_width, int source_height, int source_stride, uint8_t *out,
                   int width, int height, int stride, double ax, double bx, double ay, double by) {
    static _Thread_local uint16_t row[LIMIT + 4];
    static _Thread_local int32_t index[LIMIT], weight[LIMIT];
    if (width < 1 || height < 1 || width > LIMIT || source_width < 1 || source_width > LIMIT) return -1;
    int first = source_width, last = 0;
    for (int x = 0; x < width; x++) {
        const int64_t place = (int64_t)((ax * x + bx) * 65536.0 + (ax * x + bx < 0 ? -0.5 : 0.5));
        int at = (int)(place >> 16);
        weight[x] = (int32_t)((place & 0xffff) + 128) >> 8;
        if (at < 0) { at = 0; weight[x] = 0; }
        if (at >= source_width - 1) { at = source_width - 1; weight[x] = 0; }
        index[x] = at;
        if (at < first) first = at;
        if (at > last) last = at;
    }
    const int span = last - first + 1 + (last + 1 < source_width);
    for (int x = 0; x < width; x++) index[x] -= first;
    const int fast = has_avx2();
    for (int y = 0; y < height; y++) {
        const int64_t place = (int64_t)((ay * y + by) * 65536.0 + (ay * y + by < 0 ? -0.5 : 0.5));
        const int at = (int)(place >> 16), w = (int)((place & 0xffff) + 128) >> 8;
        const uint8_t *upper = source + (int64_t)clamp(at, source_height - 1) * source_stride + first;
        const uint8_t *lower = source + (int64_t)clamp(at + 1, source_height - 1) * source_stride + first;
        blend_rows(upper, lower, w, row, span);
        row[span] = row[span - 1];
        row[span + 1] = 0;
        uint8_t *target = out + (int64_t)y * stride;
        const int done = fast ? pick_avx2(row, index, weight, target, width) : 0;
        pick_scalar(row, index, weight, target, done, width);
    }
    return 0;
}
