#include "cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/small_gemm.h"
#include "cpu/vector_math.h"

namespace archwright::kernels {

namespace {

// Rows of the matrix of scores that are in the cache at once.
constexpr int64_t kQueryBlock = 64;

// s ← e^(scale·s − shift), 0 behind `n` up to `padded`.
template <int Width>
ARCHWRIGHT_INLINE void exponentials_body(float* s, int64_t n, int64_t padded, float scale,
                                         float shift, float* total) {
  for (int64_t i = 0; i < n; i++) s[i] = expOf(scale * s[i] - shift);
  for (int64_t i = n; i < padded; i++) s[i] = 0;
  Vec<Width> sums = splat<Width>(0);
  for (int64_t i = 0; i < padded; i += Width) sums += load<Width>(s + i);
  *total = sum<Width>(sums);
}
ARCHWRIGHT_DISPATCH(exponentials,
                    (float* s, int64_t n, int64_t padded, float scale, float shift, float* total),
                    (s, n, padded, scale, shift, total))

template <int Width>
ARCHWRIGHT_INLINE void greatest_body(const float* s, int64_t n, float* most) {
  float lanes[Width];
  for (int l = 0; l < Width; l++) lanes[l] = s[0];
  int64_t i = 0;
  for (; i + Width <= n; i += Width)
    for (int l = 0; l < Width; l++) lanes[l] = s[i + l] > lanes[l] ? s[i + l] : lanes[l];
  for (; i < n; i++) lanes[0] = std::max(lanes[0], s[i]);
  *most = *std::max_element(lanes, lanes + Width);
}
ARCHWRIGHT_DISPATCH(greatest, (const float* s, int64_t n, float* most), (s, n, most))

// d ← p·(d − shift)·scale
template <int Width>
ARCHWRIGHT_INLINE void scoreGrad_body(float* d, const float* p, int64_t n, float shift,
                                      float scale) {
  for (int64_t i = 0; i < n; i++) d[i] = p[i] * (d[i] - shift) * scale;
}
ARCHWRIGHT_DISPATCH(scoreGrad, (float* d, const float* p, int64_t n, float shift, float scale),
                    (d, p, n, shift, scale))

// One head's matrix out of [length, heads, depth]: rows are `pitch` apart there.
struct HeadRows {
  int64_t length, depth, pitch;
  int64_t padded() const { return paddedColumns(depth); }

  void pack(const float* from, float* to) const {
    for (int64_t i = 0; i < length; i++)
      std::copy_n(from + i * pitch, depth, to + i * padded());
  }
  // To [depth, columns].
  void packTransposed(const float* from, float* to, int64_t columns) const {
    for (int64_t i = 0; i < length; i++)
      for (int64_t d = 0; d < depth; d++) to[d * columns + i] = from[i * pitch + d];
  }
  void unpack(const float* from, float* to) const {
    for (int64_t i = 0; i < length; i++)
      std::copy_n(from + i * padded(), depth, to + i * pitch);
  }
};

class Head {
 public:
  explicit Head(const AttentionShape& s)
      : s_(s),
        queries_{s.queries, s.depth, s.heads * s.depth},
        keys_{s.keys, s.depth, s.heads * s.depth},
        values_{s.keys, s.valueDepth, s.heads * s.valueDepth},
        results_{s.queries, s.valueDepth, s.heads * s.valueDepth},
        columns_(paddedColumns(s.keys)),
        keysAcross_(s.depth * columns_),
        scores_(kQueryBlock * columns_) {}

 protected:
  // Where head `h` of image `n` begins.
  static int64_t start(const HeadRows& rows, int64_t n, int64_t h) {
    return n * rows.length * rows.pitch + h * rows.depth;
  }
  static std::vector<float> room(const HeadRows& rows) {
    return std::vector<float>(rows.length * rows.padded());
  }
  // scores_ = Q·Kᵀ for `count` queries from `first` on.
  void score(const float* q, int64_t first, int64_t count) {
    const MatrixView rows{q + first * queries_.pitch, queries_.pitch, 1};
    smallGemm(count, columns_, s_.depth, rows, keysAcross_.data(), columns_, scores_.data(),
              columns_, false);
  }

  const AttentionShape s_;
  const HeadRows queries_, keys_, values_, results_;
  const int64_t columns_;
  std::vector<float> keysAcross_, scores_;
};

class ForwardHead : Head {
 public:
  explicit ForwardHead(const AttentionShape& s)
      : Head(s), v_(room(values_)), y_(room(results_)) {}

  void run(const AttentionForward& a, int64_t n, int64_t h) {
    const float* q = a.q + start(queries_, n, h);
    float* normaliser = a.normaliser + (n * s_.heads + h) * s_.queries;
    keys_.packTransposed(a.k + start(keys_, n, h), keysAcross_.data(), columns_);
    values_.pack(a.v + start(values_, n, h), v_.data());
    for (int64_t first = 0; first < s_.queries; first += kQueryBlock) {
      const int64_t count = std::min(kQueryBlock, s_.queries - first);
      score(q, first, count);
      for (int64_t r = 0; r < count; r++) {
        float* row = &scores_[r * columns_];
        float most, total;
        greatest(row, s_.keys, &most);
        most *= s_.scale;
        exponentials(row, s_.keys, columns_, s_.scale, most, &total);
        const float share = 1.0f / total;
        for (int64_t i = 0; i < columns_; i++) row[i] *= share;
        normaliser[first + r] = most + std::log(total);
      }
      smallGemm(count, results_.padded(), s_.keys, {scores_.data(), columns_, 1}, v_.data(),
                values_.padded(), &y_[first * results_.padded()], results_.padded(), false);
    }
    results_.unpack(y_.data(), a.y + start(results_, n, h));
  }

 private:
  std::vector<float> v_, y_;
};

class BackwardHead : Head {
 public:
  explicit BackwardHead(const AttentionShape& s)
      : Head(s),
        valuesAcross_(s.valueDepth * columns_),
        scoreGrads_(kQueryBlock * columns_),
        q_(room(queries_)),
        k_(room(keys_)),
        dy_(room(results_)),
        dq_(room(queries_)),
        dk_(room(keys_)),
        dv_(room(values_)) {}

  void run(const AttentionBackward& a, int64_t n, int64_t h) {
    const float* q = a.q + start(queries_, n, h);
    const float* y = a.y + start(results_, n, h);
    const float* normaliser = a.normaliser + (n * s_.heads + h) * s_.queries;
    keys_.packTransposed(a.k + start(keys_, n, h), keysAcross_.data(), columns_);
    values_.packTransposed(a.v + start(values_, n, h), valuesAcross_.data(), columns_);
    queries_.pack(q, q_.data());
    keys_.pack(a.k + start(keys_, n, h), k_.data());
    results_.pack(a.dy + start(results_, n, h), dy_.data());
    for (int64_t first = 0; first < s_.queries; first += kQueryBlock) {
      const int64_t count = std::min(kQueryBlock, s_.queries - first);
      const float* dy = &dy_[first * results_.padded()];
      score(q, first, count);
      smallGemm(count, columns_, s_.valueDepth, {dy, results_.padded(), 1}, valuesAcross_.data(),
                columns_, scoreGrads_.data(), columns_, false);
      const bool more = first > 0;
      for (int64_t r = 0; r < count; r++) {
        float* share = &scores_[r * columns_];
        float total;
        exponentials(share, s_.keys, columns_, s_.scale, normaliser[first + r], &total);
        float along = 0;
        for (int64_t d = 0; d < s_.valueDepth; d++)
          along += dy[r * results_.padded() + d] * y[(first + r) * results_.pitch + d];
        scoreGrad(&scoreGrads_[r * columns_], share, columns_, along, s_.scale);
      }
      smallGemm(s_.keys, values_.padded(), count, {scores_.data(), 1, columns_}, dy,
                results_.padded(), dv_.data(), values_.padded(), more);
      smallGemm(count, queries_.padded(), s_.keys, {scoreGrads_.data(), columns_, 1}, k_.data(),
                keys_.padded(), &dq_[first * queries_.padded()], queries_.padded(), false);
      smallGemm(s_.keys, keys_.padded(), count, {scoreGrads_.data(), 1, columns_},
                &q_[first * queries_.padded()], queries_.padded(), dk_.data(), keys_.padded(), more);
    }
    queries_.unpack(dq_.data(), a.dq + start(queries_, n, h));
    keys_.unpack(dk_.data(), a.dk + start(keys_, n, h));
    values_.unpack(dv_.data(), a.dv + start(values_, n, h));
  }

 private:
  std::vector<float> valuesAcross_, scoreGrads_, q_, k_, dy_, dq_, dk_, dv_;
};

template <class Worker, class Args>
void overHeads(const AttentionShape& s, const Args& args, const Parallel& parallel) {
  parallel.share(s.batch * s.heads, 1, [&](int64_t, int64_t begin, int64_t end) {
    Worker worker(s);
    for (int64_t i = begin; i < end; i++) worker.run(args, i / s.heads, i % s.heads);
  });
}

}  // namespace

void attentionForward(const AttentionShape& s, const AttentionForward& args,
                      const Parallel& parallel) {
  overHeads<ForwardHead>(s, args, parallel);
}

void attentionBackward(const AttentionShape& s, const AttentionBackward& args,
                       const Parallel& parallel) {
  overHeads<BackwardHead>(s, args, parallel);
}

}  // namespace archwright::kernels
