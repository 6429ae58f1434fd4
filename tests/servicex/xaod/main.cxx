// The job: reads events, runs the algorithm on each, and says what went wrong.
#include "event_model.h"

#include <fstream>
#include <iomanip>
#include <limits>

namespace {
std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  for (std::string word; std::getline(stream, word, '\t');) words.push_back(word);
  return words;
}

// One line for each thing, with tabs between words: `value NAME TEXT`, `list NAME TEXT ...`, `row`, and `objects NAME`
// with rows up to `end`.
std::vector<Record> read_rows(std::istream& input) {
  std::vector<Record> rows;
  for (std::string line; std::getline(input, line) && line != "end";) {
    auto words = split(line);
    if (words[0] == "row") rows.emplace_back();
    else if (words[0] == "value") rows.back().values[words[1]] = words.size() > 2 ? words[2] : "";
    else if (words[0] == "list") rows.back().lists[words[1]].assign(words.begin() + 2, words.end());
    else if (words[0] == "objects") {
      auto inner = read_rows(input);
      rows.back().objects[words[1]] = std::move(inner);
    }
    else throw std::runtime_error("the events have a line that cannot be read: " + line);
  }
  return rows;
}

// An event is one row, and its banks are the objects of that row.
std::vector<Event> read_events(std::istream& input) {
  std::vector<Event> events;
  for (auto& row : read_rows(input)) events.emplace_back(row.objects.begin(), row.objects.end());
  return events;
}
}  // namespace

int main(int, char** arguments) {
  std::ifstream input(arguments[1]);
  std::cout << std::setprecision(std::numeric_limits<double>::max_digits10);
  try {
    auto events = read_events(input);
    auto algorithm = make_algorithm();
    bool success = algorithm->initialize().isSuccess();
    for (auto& event : events) {
      algorithm->evtStore()->load(&event);
      success = success && algorithm->execute().isSuccess();
    }
    return success && algorithm->finalize().isSuccess() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
