/** Streams, events and graphs: work in the order it was given, done as late as the program allows. */
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace stand_in {

/** One piece of work; returns a `CUresult`. */
using Operation = std::function<int()>;

struct Event {
  /** which of its stream's operations it waits for; 0: never recorded */
  std::uint64_t position = 0;
  struct Stream* stream = nullptr;
  double milliseconds = 0;
};

struct Graph {
  std::vector<Operation> operations;
};

struct Stream {
  std::deque<Operation> waiting;
  std::uint64_t given = 0, done = 0;
  Graph* capture = nullptr;
};

}  // namespace stand_in
