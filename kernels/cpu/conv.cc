// Forward and input gradient: every row of the result is a weighted sum of shifted flat arrays
// (conv_shape.h). A block of 4 rows × 3 vectors stays in registers while the taps go by.
#include "cpu/conv.h"

#include <algorithm>
#include <vector>

#include "cpu/simd.h"

namespace archwright::kernels {

namespace {

constexpr int kRows = 4;
constexpr int kVectors = 3;
// Elements that are worth the set-up of one pass over the taps.
constexpr int64_t kLongEnough = 256;

// out[r][i] = start[r] + Σ over t of weights[t · kRows + r] · taps[t][i], for `Vectors` · Width columns.
template <int Width, int Rows, int Vectors>
ARCHWRIGHT_INLINE void tile(const float* const* taps, int64_t tapCount, const float* weights,
                            const float* start, int64_t column, float* const* out) {
  Vec<Width> sum[Rows][Vectors];
  for (int r = 0; r < Rows; r++)
    for (int v = 0; v < Vectors; v++) sum[r][v] = splat<Width>(start[r]);
  for (int64_t t = 0; t < tapCount; t++) {
    Vec<Width> tap[Vectors];
    for (int v = 0; v < Vectors; v++) tap[v] = load<Width>(taps[t] + column + Width * v);
    for (int r = 0; r < Rows; r++) {
      const Vec<Width> weight = splat<Width>(weights[t * kRows + r]);
      for (int v = 0; v < Vectors; v++) sum[r][v] += weight * tap[v];
    }
  }
  for (int r = 0; r < Rows; r++)
    for (int v = 0; v < Vectors; v++) store<Width>(out[r] + column + Width * v, sum[r][v]);
}

template <int Width, int Rows>
ARCHWRIGHT_INLINE void rowBlock(const float* const* taps, int64_t tapCount, const float* weights,
                                const float* start, int64_t length, float* const* out) {
  int64_t i = 0;
  for (; i + Width * kVectors <= length; i += Width * kVectors)
    tile<Width, Rows, kVectors>(taps, tapCount, weights, start, i, out);
  for (; i + Width <= length; i += Width) tile<Width, Rows, 1>(taps, tapCount, weights, start, i, out);
  for (; i < length; i++) {
    for (int r = 0; r < Rows; r++) {
      float sum = start[r];
      for (int64_t t = 0; t < tapCount; t++) sum += weights[t * kRows + r] * taps[t][i];
      out[r][i] = sum;
    }
  }
}

// The widest vectors of a buffer with slack behind it may be whole.
int64_t wholeVectors(int64_t length) { return (length + 15) / 16 * 16; }

// A convolution over tensors that already are flat planes: nothing to pad, nothing to skip, and long
// enough to go image by image.
bool isFlat(const ConvShape& s) {
  return s.taps() == 1 && s.strideY == 1 && s.strideX == 1 && s.inPlane() == s.outPlane() &&
         s.padTop == 0 && s.padLeft == 0 && s.inPlane() >= kLongEnough / 2;
}

template <int Width>
ARCHWRIGHT_INLINE void weightedSums_body(const float* const* taps, int64_t tapCount,
                                         const float* weights, const float* start, int64_t rows,
                                         int64_t length, float* const* out) {
  switch (rows) {
    case 1: return rowBlock<Width, 1>(taps, tapCount, weights, start, length, out);
    case 2: return rowBlock<Width, 2>(taps, tapCount, weights, start, length, out);
    case 3: return rowBlock<Width, 3>(taps, tapCount, weights, start, length, out);
    default: return rowBlock<Width, kRows>(taps, tapCount, weights, start, length, out);
  }
}
ARCHWRIGHT_DISPATCH(weightedSums,
                    (const float* const* taps, int64_t tapCount, const float* weights,
                     const float* start, int64_t rows, int64_t length, float* const* out),
                    (taps, tapCount, weights, start, rows, length, out))

int64_t imagesPerBlock(const ConvShape& s) {
  if (isFlat(s)) return 1;
  const int64_t plane = PhasePlanes(s, 1).plane;
  return std::max<int64_t>(1, std::min(s.batch, (kLongEnough + plane - 1) / plane));
}

// Splits the batch among the threads; each gets its own `Block` and whole blocks of images.
template <class Block>
void overImages(const ConvShape& s, const Parallel& parallel, Block makeBlock) {
  const int64_t tasks =
      std::max<int64_t>(1, std::min<int64_t>(static_cast<int64_t>(parallel.threads), s.batch));
  parallel.run(static_cast<size_t>(tasks), [&](size_t task) {
    auto block = makeBlock();
    const int64_t begin = s.batch * static_cast<int64_t>(task) / tasks;
    const int64_t end = s.batch * (static_cast<int64_t>(task) + 1) / tasks;
    for (int64_t first = begin; first < end; first += block.images())
      for (int64_t g = 0; g < s.groups; g++) block.run(g, first, std::min(block.images(), end - first));
  });
}

class ForwardBlock {
 public:
  ForwardBlock(const ConvShape& s, const float* x, const float* bias, float* y, const float* packed)
      : s_(s), x_(x), bias_(bias), y_(y), packed_(packed), flat_(isFlat(s)),
        planes_(s, imagesPerBlock(s)) {
    if (flat_) {
      taps_.resize(s.groupInChannels());
      return;
    }
    planesOfX_.resize(s.groupInChannels() * planes_.size);
    rowSize_ = planes_.images * planes_.plane + PhasePlanes::slack;
    rows_.resize(kRows * rowSize_);
    for (int64_t c = 0; c < s.groupInChannels(); c++)
      for (int64_t ky = 0; ky < s.kernelHeight; ky++)
        for (int64_t kx = 0; kx < s.kernelWidth; kx++)
          taps_.push_back(&planesOfX_[c * planes_.size + planes_.offset(ky, kx)]);
  }

  int64_t images() const { return planes_.images; }

  void run(int64_t group, int64_t first, int64_t images) {
    const int64_t outs = s_.groupOutChannels(), ins = s_.groupInChannels();
    const float* x = x_ + (first * s_.inChannels + group * ins) * s_.inPlane();
    float* y = y_ + (first * s_.outChannels + group * outs) * s_.outPlane();
    for (int64_t c = 0; c < ins; c++) {
      if (flat_) taps_[c] = x + c * s_.inPlane();
      else
        for (int64_t i = 0; i < images; i++)
          planes_.split(x + (i * s_.inChannels + c) * s_.inPlane(), i,
                        &planesOfX_[c * planes_.size]);
    }
    const int64_t length =
        flat_ ? s_.outPlane() : wholeVectors((images - 1) * planes_.plane + planes_.flat);
    const int64_t blocks = (outs + kRows - 1) / kRows;
    for (int64_t b = 0; b < blocks; b++) {
      const int64_t rows = std::min<int64_t>(kRows, outs - b * kRows);
      float start[kRows] = {};
      float* out[kRows];
      for (int64_t r = 0; r < rows; r++) {
        if (bias_ != nullptr) start[r] = bias_[group * outs + b * kRows + r];
        out[r] = flat_ ? y + (b * kRows + r) * s_.outPlane() : &rows_[r * rowSize_];
      }
      const float* weights =
          packed_ + (group * blocks + b) * static_cast<int64_t>(taps_.size()) * kRows;
      weightedSums(taps_.data(), static_cast<int64_t>(taps_.size()), weights, start, rows, length,
                   out);
      if (flat_) continue;
      for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < images; i++)
          planes_.compact(out[r] + i * planes_.plane,
                          y + (i * s_.outChannels + b * kRows + r) * s_.outPlane());
    }
  }

 private:
  const ConvShape s_;
  const float *x_, *bias_;
  float* y_;
  const float* packed_;
  const bool flat_;
  const PhasePlanes planes_;
  int64_t rowSize_ = 0;
  std::vector<float> planesOfX_, rows_;
  std::vector<const float*> taps_;
};

// The taps that read phase `phase`, as kernel element and backward offset within the plane.
struct PhaseTap {
  int64_t element, offset;
};

std::vector<std::vector<PhaseTap>> tapsByPhase(const PhasePlanes& p) {
  const ConvShape& s = p.shape;
  std::vector<std::vector<PhaseTap>> phases(s.strideY * s.strideX);
  for (int64_t ky = 0; ky < s.kernelHeight; ky++) {
    for (int64_t kx = 0; kx < s.kernelWidth; kx++) {
      const int64_t phase = p.phase(ky, kx);
      const int64_t offset = p.offset(ky, kx) - phase * p.images * p.plane;
      phases[phase].push_back({ky * s.kernelWidth + kx, offset});
    }
  }
  return phases;
}

class InputGradBlock {
 public:
  InputGradBlock(const ConvShape& s, const float* dy, float* dx, const float* packed)
      : s_(s), dy_(dy), dx_(dx), packed_(packed), flat_(isFlat(s)),
        planes_(s, imagesPerBlock(s)), phases_(tapsByPhase(planes_)) {
    if (flat_) return;
    // A tap looks back by its offset; before the first image there is nothing but zeros.
    for (const auto& phase : phases_)
      for (const PhaseTap& tap : phase) lookBack_ = std::max(lookBack_, tap.offset);
    length_ = wholeVectors(planes_.margin + planes_.images * planes_.plane);
    rowSize_ = lookBack_ + length_ + PhasePlanes::slack;
    rowsOfDy_.resize(s.groupOutChannels() * rowSize_);
    planesOfX_.resize(kRows * planes_.size);
  }

  int64_t images() const { return planes_.images; }

  void run(int64_t group, int64_t first, int64_t images) {
    const int64_t outs = s_.groupOutChannels(), ins = s_.groupInChannels();
    const float* dy = dy_ + (first * s_.outChannels + group * outs) * s_.outPlane();
    float* dx = dx_ + (first * s_.inChannels + group * ins) * s_.inPlane();
    if (!flat_)
      for (int64_t o = 0; o < outs; o++)
        for (int64_t i = 0; i < images; i++)
          planes_.spread(dy + (i * s_.outChannels + o) * s_.outPlane(),
                         &rowsOfDy_[o * rowSize_ + lookBack_ + i * planes_.plane]);
    const int64_t blocks = (ins + kRows - 1) / kRows;
    for (int64_t b = 0; b < blocks; b++) {
      const int64_t rows = std::min<int64_t>(kRows, ins - b * kRows);
      const float* weights = packed_ + (group * blocks + b) * outs * s_.taps() * kRows;
      for (size_t phase = 0; phase < phases_.size(); phase++) {
        taps_.clear();
        for (const PhaseTap& tap : phases_[phase])
          for (int64_t o = 0; o < outs; o++)
            taps_.push_back(flat_ ? dy + o * s_.outPlane()
                                  : &rowsOfDy_[o * rowSize_ + lookBack_ - tap.offset]);
        const float start[kRows] = {};
        float* out[kRows];
        for (int64_t r = 0; r < rows; r++)
          out[r] = flat_ ? dx + (b * kRows + r) * s_.inPlane()
                         : &planesOfX_[r * planes_.size +
                                       static_cast<int64_t>(phase) * planes_.images * planes_.plane];
        weightedSums(taps_.data(), static_cast<int64_t>(taps_.size()), weights, start, rows,
                     flat_ ? s_.inPlane() : length_, out);
        weights += taps_.size() * kRows;
      }
      if (flat_) continue;
      for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < images; i++)
          planes_.join(&planesOfX_[r * planes_.size], i,
                       dx + (i * s_.inChannels + b * kRows + r) * s_.inPlane());
    }
  }

 private:
  const ConvShape s_;
  const float* dy_;
  float* dx_;
  const float* packed_;
  const bool flat_;
  const PhasePlanes planes_;
  const std::vector<std::vector<PhaseTap>> phases_;
  int64_t lookBack_ = 0, length_ = 0, rowSize_ = 0;
  std::vector<float> rowsOfDy_, planesOfX_;
  std::vector<const float*> taps_;
};

}  // namespace

void convForward(const ConvShape& s, const float* x, const float* w, const float* bias, float* y,
                 const Parallel& parallel) {
  // Packed [group][block of rows][tap][row]: what one tile reads is contiguous.
  const int64_t taps = s.groupInChannels() * s.taps();
  const int64_t blocks = (s.groupOutChannels() + kRows - 1) / kRows;
  std::vector<float> packed(s.groups * blocks * taps * kRows);
  for (int64_t o = 0; o < s.outChannels; o++) {
    const int64_t row = o % s.groupOutChannels(), block = o / s.groupOutChannels() * blocks + row / kRows;
    for (int64_t t = 0; t < taps; t++)
      packed[(block * taps + t) * kRows + row % kRows] = w[o * taps + t];
  }
  overImages(s, parallel, [&] { return ForwardBlock(s, x, bias, y, packed.data()); });
}

void convInputGrad(const ConvShape& s, const float* dy, const float* w, float* dx,
                   const Parallel& parallel) {
  // Packed [group][block of input channels][phase][tap][output channel][row].
  const int64_t ins = s.groupInChannels(), outs = s.groupOutChannels();
  const int64_t blocks = (ins + kRows - 1) / kRows;
  std::vector<float> packed(s.groups * blocks * outs * s.taps() * kRows);
  const auto phases = tapsByPhase(PhasePlanes(s, 1));
  float* to = packed.data();
  for (int64_t g = 0; g < s.groups; g++)
    for (int64_t b = 0; b < blocks; b++)
      for (const auto& phase : phases)
        for (const PhaseTap& tap : phase)
          for (int64_t o = 0; o < outs; o++, to += kRows)
            for (int64_t r = 0; r < std::min<int64_t>(kRows, ins - b * kRows); r++)
              to[r] = w[((g * outs + o) * ins + b * kRows + r) * s.taps() + tap.element];
  overImages(s, parallel, [&] { return InputGradBlock(s, dy, dx, packed.data()); });
}

}  // namespace archwright::kernels
