// Groups with channels enough to fill vectors go to conv_weight_grad_lanes.h. For the others, depthwise
// ones first, every weight is a dot product of two flat arrays, one of dY and one of the phase planes of
// X (conv_shape.h). A block of 4 output channels × 3 taps shares its loads: 12 multiply-adds for 7
// loads. Several images lie behind one another so that short planes still fill vectors. Where the
// tensors themselves already are such planes (1×1 kernels, stride 1), nothing is copied.
#include "cpu/conv.h"

#include <algorithm>
#include <vector>

#include "cpu/conv_weight_grad_lanes.h"
#include "cpu/simd.h"

namespace archwright::kernels {

namespace {

constexpr int64_t kRows = 4;
constexpr int64_t kTaps = 3;
// Elements of one dot product that are worth its set-up.
constexpr int64_t kLongEnough = 768;

// Adds to dw[r · stride + t] the dot products of dy[r] and x[t], `length` elements.
template <int Width, int Rows, int Taps>
ARCHWRIGHT_INLINE void dotBlock(const float* const* dy, const float* const* x, int64_t length,
                                float* dw, int64_t stride) {
  Vec<Width> total[Rows][Taps];
  ARCHWRIGHT_UNROLL
  for (int r = 0; r < Rows; r++) {
    ARCHWRIGHT_UNROLL
    for (int t = 0; t < Taps; t++) total[r][t] = splat<Width>(0);
  }
  int64_t i = 0;
  for (; i + Width <= length; i += Width) {
    Vec<Width> tap[Taps];
    ARCHWRIGHT_UNROLL
    for (int t = 0; t < Taps; t++) tap[t] = load<Width>(x[t] + i);
    ARCHWRIGHT_UNROLL
    for (int r = 0; r < Rows; r++) {
      const Vec<Width> row = load<Width>(dy[r] + i);
      ARCHWRIGHT_UNROLL
      for (int t = 0; t < Taps; t++) total[r][t] += row * tap[t];
    }
  }
  ARCHWRIGHT_UNROLL
  for (int r = 0; r < Rows; r++) {
    ARCHWRIGHT_UNROLL
    for (int t = 0; t < Taps; t++) {
      float rest = 0;
      for (int64_t j = i; j < length; j++) rest += dy[r][j] * x[t][j];
      dw[r * stride + t] += sum<Width>(total[r][t]) + rest;
    }
  }
}

template <int Width, int Rows>
ARCHWRIGHT_INLINE void rowBlock(const float* const* dy, const float* const* x, int64_t taps,
                                int64_t length, float* dw, int64_t stride) {
  int64_t t = 0;
  for (; t + kTaps <= taps; t += kTaps) dotBlock<Width, Rows, kTaps>(dy, x + t, length, dw + t, stride);
  if (taps - t == 2) dotBlock<Width, Rows, 2>(dy, x + t, length, dw + t, stride);
  if (taps - t == 1) dotBlock<Width, Rows, 1>(dy, x + t, length, dw + t, stride);
}

template <int Width>
ARCHWRIGHT_INLINE void dotProducts_body(const float* const* dy, int64_t rows, const float* const* x,
                                        int64_t taps, int64_t length, float* dw) {
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) rowBlock<Width, kRows>(dy + r, x, taps, length, dw + r * taps, taps);
  for (; r < rows; r++) rowBlock<Width, 1>(dy + r, x, taps, length, dw + r * taps, taps);
}
ARCHWRIGHT_DISPATCH_NARROW(dotProducts, dotProducts_body,
                           (const float* const* dy, int64_t rows, const float* const* x,
                            int64_t taps, int64_t length, float* dw),
                           (dy, rows, x, taps, length, dw))

// Rows and taps of one group, over a few images at a time.
class Block {
 public:
  explicit Block(const ConvShape& shape)
      : s_(shape),
        direct_(shape.taps() == 1 && shape.strideY == 1 && shape.strideX == 1 &&
                shape.padTop == 0 && shape.padLeft == 0 && shape.inPlane() == shape.outPlane() &&
                shape.inPlane() >= kLongEnough / 4),
        planes_(shape, direct_ ? 1 : imagesFor(shape)),
        rows_(shape.groupOutChannels()),
        taps_(shape.groupInChannels() * shape.taps()) {
    if (direct_) return;
    rowSize_ = planes_.images * planes_.plane;
    dy_.resize(rows_.size() * rowSize_);
    x_.resize(shape.groupInChannels() * planes_.size);
    for (size_t o = 0; o < rows_.size(); o++) rows_[o] = &dy_[o * rowSize_];
    const float** tap = taps_.data();
    for (int64_t c = 0; c < shape.groupInChannels(); c++)
      for (int64_t ky = 0; ky < shape.kernelHeight; ky++)
        for (int64_t kx = 0; kx < shape.kernelWidth; kx++)
          *tap++ = &x_[c * planes_.size + planes_.offset(ky, kx)];
  }

  int64_t images() const { return planes_.images; }

  // Adds the gradient of `group` over `images` images from `first` on.
  void add(int64_t group, int64_t first, int64_t images, const float* x, const float* dy, float* dw) {
    const int64_t outFirst = first * s_.outChannels + group * s_.groupOutChannels();
    const int64_t inFirst = first * s_.inChannels + group * s_.groupInChannels();
    if (direct_) {
      for (size_t o = 0; o < rows_.size(); o++) rows_[o] = dy + (outFirst + o) * s_.outPlane();
      for (size_t c = 0; c < taps_.size(); c++) taps_[c] = x + (inFirst + c) * s_.inPlane();
    } else {
      for (size_t o = 0; o < rows_.size(); o++)
        for (int64_t i = 0; i < images; i++)
          planes_.spread(dy + (outFirst + i * s_.outChannels + o) * s_.outPlane(),
                         &dy_[o * rowSize_ + i * planes_.plane]);
      for (int64_t c = 0; c < s_.groupInChannels(); c++)
        for (int64_t i = 0; i < images; i++)
          planes_.split(x + (inFirst + i * s_.inChannels + c) * s_.inPlane(), i,
                        &x_[c * planes_.size]);
    }
    const int64_t length = (images - 1) * planes_.plane + planes_.flat;
    dotProducts(rows_.data(), static_cast<int64_t>(rows_.size()), taps_.data(),
                static_cast<int64_t>(taps_.size()), direct_ ? s_.outPlane() : length, dw);
  }

 private:
  static int64_t imagesFor(const ConvShape& s) {
    const int64_t plane = PhasePlanes(s, 1).plane;
    return std::max<int64_t>(1, std::min(s.batch, (kLongEnough + plane - 1) / plane));
  }

  const ConvShape s_;
  const bool direct_;
  const PhasePlanes planes_;
  int64_t rowSize_ = 0;
  std::vector<float> dy_, x_;
  std::vector<const float*> rows_, taps_;
};

}  // namespace

void convWeightGrad(const ConvShape& s, const float* x, const float* dy, float* dw,
                    const Parallel& parallel) {
  if (fillsLanes(s)) return convWeightGradLanes(s, x, dy, dw, parallel);
  const int64_t size = s.outChannels * s.groupInChannels() * s.taps();
  const int64_t groupSize = size / s.groups;
  const int64_t tasks = std::max<int64_t>(
      1, std::min<int64_t>(static_cast<int64_t>(parallel.threads), s.batch));
  std::vector<float> partial(tasks * size);
  parallel.run(static_cast<size_t>(tasks), [&](size_t task) {
    Block block(s);
    const int64_t begin = s.batch * static_cast<int64_t>(task) / tasks;
    const int64_t end = s.batch * (static_cast<int64_t>(task) + 1) / tasks;
    float* sum = &partial[task * size];
    for (int64_t first = begin; first < end; first += block.images()) {
      const int64_t images = std::min(block.images(), end - first);
      for (int64_t g = 0; g < s.groups; g++)
        block.add(g, first, images, x, dy, sum + g * groupSize);
    }
  });
  std::copy_n(partial.data(), size, dw);
  for (int64_t task = 1; task < tasks; task++) {
    const float* sum = &partial[task * size];
    for (int64_t i = 0; i < size; i++) dw[i] += sum[i];
  }
}

}  // namespace archwright::kernels
