// The lanes of a vector are input channels: X is rewritten, image by image, as [block of channels,
// padded row, padded column, lane], so that what a tap reads is one aligned cache line, a stride or
// dilation is a step, and nothing is summed across lanes. Elements of dY are read where they lie and
// spread over the lanes. A block of 8 output channels × 3 taps (4 × 3 without AVX-512) stays in
// registers while a few rows of the output go by, as many as leave its part of X in the first cache.
#include "cpu/conv_weight_grad_lanes.h"

#include <algorithm>
#include <vector>

#include "cpu/simd.h"

namespace archwright::kernels {

namespace {

constexpr int kTaps = 3;
constexpr int64_t kWidest = 16;
// Bytes of one block of channels that are worked on at a time: the first cache has 32 KiB or more,
// and rows of dY want their place too.
constexpr int64_t kNearBytes = 20 * 1024;

int64_t lanesOfVector() {
#if defined(__GNUC__) && defined(__x86_64__)
  const CpuFeatures& has = cpuFeatures();
  return has.avx512 ? 16 : has.avx2Fma ? 8 : 4;
#else
  return 4;
#endif
}

// Some rows of one image's output, and how far apart their elements lie.
struct Rows {
  int64_t rows, columns;
  // Elements of dY from channel to channel.
  int64_t plane;
  // Elements of the lanes of X from output row to row and from column to column.
  int64_t rowStep, columnStep;
};

// sums[r · sumsPitch + t · Width + lane] += Σ dy[r · plane + p] · taps[t][lane of p] over positions p.
template <int Width, int Channels, int Taps>
ARCHWRIGHT_INLINE void block(const float* dy, const float* const* taps, const Rows& g, float* sums,
                             int64_t sumsPitch) {
  Vec<Width> total[Channels][Taps];
  ARCHWRIGHT_UNROLL
  for (int r = 0; r < Channels; r++) {
    ARCHWRIGHT_UNROLL
    for (int t = 0; t < Taps; t++) total[r][t] = load<Width>(sums + r * sumsPitch + t * Width);
  }
  for (int64_t y = 0; y < g.rows; y++) {
    const float* row[Channels];
    ARCHWRIGHT_UNROLL
    for (int r = 0; r < Channels; r++) row[r] = dy + r * g.plane + y * g.columns;
    const float* lane[Taps];
    ARCHWRIGHT_UNROLL
    for (int t = 0; t < Taps; t++) lane[t] = taps[t] + y * g.rowStep;
    int64_t at = 0;
    for (int64_t x = 0; x < g.columns; x++, at += g.columnStep) {
      Vec<Width> tap[Taps];
      ARCHWRIGHT_UNROLL
      for (int t = 0; t < Taps; t++) tap[t] = load<Width>(lane[t] + at);
      ARCHWRIGHT_UNROLL
      for (int r = 0; r < Channels; r++) {
        const Vec<Width> value = splat<Width>(row[r][x]);
        ARCHWRIGHT_UNROLL
        for (int t = 0; t < Taps; t++) total[r][t] += value * tap[t];
      }
    }
  }
  ARCHWRIGHT_UNROLL
  for (int r = 0; r < Channels; r++) {
    ARCHWRIGHT_UNROLL
    for (int t = 0; t < Taps; t++) store<Width>(sums + r * sumsPitch + t * Width, total[r][t]);
  }
}

template <int Width, int Channels>
ARCHWRIGHT_INLINE void channelBlock(const float* dy, const float* const* taps, int64_t tapCount,
                                    const Rows& g, float* sums, int64_t sumsPitch) {
  int64_t t = 0;
  for (; t + kTaps <= tapCount; t += kTaps)
    block<Width, Channels, kTaps>(dy, taps + t, g, sums + t * Width, sumsPitch);
  if (tapCount - t == 2) block<Width, Channels, 2>(dy, taps + t, g, sums + t * Width, sumsPitch);
  if (tapCount - t == 1) block<Width, Channels, 1>(dy, taps + t, g, sums + t * Width, sumsPitch);
}

template <int Width>
ARCHWRIGHT_INLINE void addRows_body(const float* dy, int64_t channels, const float* const* taps,
                                    int64_t tapCount, const Rows& g, float* sums,
                                    int64_t sumsPitch) {
  int64_t r = 0;
  if constexpr (Width == 16) {
    for (; r + 8 <= channels; r += 8)
      channelBlock<Width, 8>(dy + r * g.plane, taps, tapCount, g, sums + r * sumsPitch, sumsPitch);
  }
  for (; r + 4 <= channels; r += 4)
    channelBlock<Width, 4>(dy + r * g.plane, taps, tapCount, g, sums + r * sumsPitch, sumsPitch);
  for (; r < channels; r++)
    channelBlock<Width, 1>(dy + r * g.plane, taps, tapCount, g, sums + r * sumsPitch, sumsPitch);
}
ARCHWRIGHT_DISPATCH(addRows,
                    (const float* dy, int64_t channels, const float* const* taps, int64_t tapCount,
                     const Rows& g, float* sums, int64_t sumsPitch),
                    (dy, channels, taps, tapCount, g, sums, sumsPitch))

// The lanes of one group of one image, and the sums of a thread.
class Worker {
 public:
  explicit Worker(const ConvShape& shape)
      : s_(shape),
        width_(lanesOfVector()),
        blocks_((shape.groupInChannels() + width_ - 1) / width_),
        height_((shape.outHeight - 1) * shape.strideY + (shape.kernelHeight - 1) * shape.dilationY + 1),
        pitch_(((shape.outWidth - 1) * shape.strideX + (shape.kernelWidth - 1) * shape.dilationX + 1) *
               width_),
        sumsPitch_(blocks_ * shape.taps() * width_),
        storage_(blocks_ * height_ * pitch_ + kWidest),
        taps_(blocks_ * shape.taps()),
        sums_(shape.outChannels * sumsPitch_) {
    // Whole vectors in whole cache lines.
    const auto address = reinterpret_cast<uintptr_t>(storage_.data());
    const uintptr_t line = kWidest * sizeof(float);
    lanes_ = storage_.data() + (line - address % line) % line / sizeof(float);
  }

  // Adds one image of one group. `x` and `dy` are its first channels.
  void add(int64_t group, const float* x, const float* dy) {
    for (int64_t b = 0; b < blocks_; b++) rewrite(b, x + b * width_ * s_.inPlane());
    const int64_t outs = s_.groupOutChannels();
    const int64_t rowBytes = s_.strideY * pitch_ * static_cast<int64_t>(sizeof(float));
    const int64_t near = std::max<int64_t>(1, kNearBytes / rowBytes);
    for (int64_t y = 0; y < s_.outHeight; y += near) {
      const Rows rows{std::min(near, s_.outHeight - y), s_.outWidth, s_.outPlane(),
                      s_.strideY * pitch_, s_.strideX * width_};
      const float** tap = taps_.data();
      for (int64_t b = 0; b < blocks_; b++)
        for (int64_t ky = 0; ky < s_.kernelHeight; ky++)
          for (int64_t kx = 0; kx < s_.kernelWidth; kx++)
            *tap++ = lanes_ + (b * height_ + y * s_.strideY + ky * s_.dilationY) * pitch_ +
                     kx * s_.dilationX * width_;
      addRows(dy + y * s_.outWidth, outs, taps_.data(), static_cast<int64_t>(taps_.size()), rows,
              &sums_[group * outs * sumsPitch_], sumsPitch_);
    }
  }

  float sum(int64_t out, int64_t channel, int64_t tap) const {
    return sums_[out * sumsPitch_ + (channel / width_ * s_.taps() + tap) * width_ + channel % width_];
  }

 private:
  // Padding and lanes without a channel are not written: they are zero from the start.
  void rewrite(int64_t block, const float* x) {
    const int64_t channels = std::min(width_, s_.groupInChannels() - block * width_);
    const int64_t columns = std::min(s_.inWidth, pitch_ / width_ - s_.padLeft);
    const int64_t rows = std::min(s_.inHeight, height_ - s_.padTop);
    for (int64_t y = 0; y < rows; y++) {
      const float* from = x + y * s_.inWidth;
      float* to = lanes_ + (block * height_ + y + s_.padTop) * pitch_ + s_.padLeft * width_;
      if (channels == kWidest) copyRow<kWidest>(from, columns, to);
      else if (channels == 8 && width_ == 8) copyRow<8>(from, columns, to);
      else
        for (int64_t c = 0; c < channels; c++)
          for (int64_t i = 0; i < columns; i++) to[i * width_ + c] = from[c * s_.inPlane() + i];
    }
  }

  template <int Channels>
  void copyRow(const float* from, int64_t columns, float* to) const {
    for (int64_t i = 0; i < columns; i++)
      for (int c = 0; c < Channels; c++) to[i * Channels + c] = from[c * s_.inPlane() + i];
  }

  const ConvShape s_;
  const int64_t width_, blocks_, height_, pitch_, sumsPitch_;
  std::vector<float> storage_;
  float* lanes_;
  std::vector<const float*> taps_;
  std::vector<float> sums_;
};

}  // namespace

bool fillsLanes(const ConvShape& s) {
  const int64_t width = lanesOfVector(), channels = s.groupInChannels();
  return 4 * channels >= 3 * ((channels + width - 1) / width * width);
}

void convWeightGradLanes(const ConvShape& s, const float* x, const float* dy, float* dw,
                         const Parallel& parallel) {
  const int64_t tasks = std::max<int64_t>(
      1, std::min<int64_t>(static_cast<int64_t>(parallel.threads), s.batch));
  const int64_t ins = s.groupInChannels(), outs = s.groupOutChannels();
  std::vector<Worker> workers;
  workers.reserve(tasks);
  for (int64_t task = 0; task < tasks; task++) workers.emplace_back(s);
  parallel.run(static_cast<size_t>(tasks), [&](size_t task) {
    const int64_t begin = s.batch * static_cast<int64_t>(task) / tasks;
    const int64_t end = s.batch * (static_cast<int64_t>(task) + 1) / tasks;
    for (int64_t n = begin; n < end; n++)
      for (int64_t g = 0; g < s.groups; g++)
        workers[task].add(g, x + (n * s.inChannels + g * ins) * s.inPlane(),
                          dy + (n * s.outChannels + g * outs) * s.outPlane());
  });
  for (int64_t o = 0; o < s.outChannels; o++)
    for (int64_t c = 0; c < ins; c++)
      for (int64_t t = 0; t < s.taps(); t++, dw++) {
        *dw = 0;
        for (const Worker& worker : workers) *dw += worker.sum(o, c, t);
      }
}

}  // namespace archwright::kernels
