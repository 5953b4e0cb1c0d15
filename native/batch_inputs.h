// What one step of the training loop is fed: rows gathered from the data sets, images changed at random
// on the way, and the step's scalars. No N-API.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ort.h"

namespace archwright {

// Rows of `source` gathered into the input `name` of dims [batch, ...rowDims].
struct StreamSpec {
  std::string name;
  Dims rowDims;
  ElementType type;
  ElementType sourceType;  // `type`: copied as it is; else an integer type that fits into it
  size_t sourceBytes;      // of one element of the source
  const void* source;
  std::vector<float> scale;  // empty: plain conversion; else one entry per channel
  std::vector<float> shift;
};

struct ScalarSpec {
  std::string name;
  const float* values;  // one per step
};

struct PartnerSpec {
  size_t stream;  // index into the streams
  std::string input;
};

struct MixupSpec {
  double alpha;
  std::string share;
  std::vector<PartnerSpec> partners;
};

struct AugmentSpec {
  size_t stream;  // index of a float32 stream with rows of [channels, height, width]
  uint32_t seed;
  uint64_t firstStep;
  uint32_t cropPixels;
  bool flip;
  uint32_t cutoutPixels;
  std::optional<MixupSpec> mixup;
};

struct BatchSpec {
  size_t batch;
  const uint32_t* order;  // `batch` row numbers per step
  std::vector<StreamSpec> streams;
  std::optional<AugmentSpec> augment;
  std::vector<ScalarSpec> scalars;
};

// The input tensors of one step and what fills them. `spec` must outlive it.
class BatchInputs {
 public:
  explicit BatchInputs(const BatchSpec& spec);
  void bind(const IoBindingPtr& binding) const;
  void fill(size_t step);

 private:
  void augment(size_t step, const uint32_t* rows);

  const BatchSpec& spec_;
  std::vector<ValuePtr> streams_;
  std::vector<ValuePtr> scalars_;
  // Of mixup: images before they are mixed, the inputs of the partners' rows, and λ.
  std::vector<float> unmixed_;
  std::vector<ValuePtr> partners_;
  ValuePtr share_;
};

}  // namespace archwright
