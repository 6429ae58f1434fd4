// The ATLAS event model in small: what generated analysis code is compiled against, in place of the real one.
// Rows come from text (see read_events) and go to standard output as JSON, one line for each filled row of the tree.
// Methods and their types are those of the tables of func_adl_servicex_xaodr22; a test compares them. Units: MeV, mm.
#ifndef EVENT_MODEL_H
#define EVENT_MODEL_H

#include <cmath>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <vector>

// -- what is stored ---------------------------------------------------------------------------------------------------

struct Record {
  std::unordered_map<std::string, std::string> values;
  std::unordered_map<std::string, std::vector<std::string>> lists;
  std::unordered_map<std::string, std::vector<Record>> objects;
};

template <class T> T converted(const std::string& text) {
  if constexpr (std::is_same_v<T, std::string>) return text;
  else if constexpr (std::is_floating_point_v<T>) return static_cast<T>(std::stod(text));
  else if constexpr (std::is_same_v<T, std::uint64_t> || std::is_same_v<T, unsigned long long>) return std::stoull(text);
  else return static_cast<T>(std::stoll(text));
}

template <class T> struct is_list : std::false_type {};
template <class T> struct is_list<std::vector<T>> : std::true_type {};

template <class M> const typename M::mapped_type& stored(const M& members, const std::string& name) {
  auto found = members.find(name);
  if (found == members.end()) throw std::runtime_error("no value is stored of " + name);
  return found->second;
}

// -- output -----------------------------------------------------------------------------------------------------------

template <class T> struct is_branch : std::is_arithmetic<T> {};
template <> struct is_branch<std::string> : std::true_type {};
template <class T> struct is_branch<std::vector<T>> : is_branch<T> {};

inline void print(const std::string& text) {
  std::cout << '"';
  for (char letter : text) {
    if (letter == '"' || letter == '\\') std::cout << '\\';
    std::cout << letter;
  }
  std::cout << '"';
}

template <class T> std::enable_if_t<std::is_arithmetic_v<T>> print(T value) {
  if constexpr (std::is_same_v<T, bool>) std::cout << (value ? "true" : "false");
  else if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) std::cout << "NaN";
    else if (std::isinf(value)) std::cout << (value < 0 ? "-Infinity" : "Infinity");
    else std::cout << value;
  } else std::cout << +value;
}

template <class T> void print(const std::vector<T>& values) {
  std::cout << '[';
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (k > 0) std::cout << ',';
    print(static_cast<T>(values[k]));
  }
  std::cout << ']';
}

class TTree {
public:
  TTree(std::string name, std::string) : m_name(std::move(name)) {}
  const std::string& name() const { return m_name; }
  template <class T> void Branch(const char* name, T* address) {
    static_assert(is_branch<T>::value, "a branch holds numbers, texts, or lists of them");
    m_branches.emplace_back(name, [address] { print(*address); });
  }
  void Fill() {
    const char* separator = "{";
    for (auto& branch : m_branches) {
      std::cout << separator;
      print(branch.first);
      std::cout << ':';
      branch.second();
      separator = ",";
    }
    std::cout << "}\n";
  }

private:
  std::string m_name;
  std::vector<std::pair<std::string, std::function<void()>>> m_branches;
};

// -- vectors ----------------------------------------------------------------------------------------------------------

struct TVector2 {
  static double Phi_mpi_pi(double x) {
    while (x >= M_PI) x -= 2 * M_PI;
    while (x < -M_PI) x += 2 * M_PI;
    return x;
  }
};

class TLorentzVector {
public:
  TLorentzVector() = default;
  void SetPtEtaPhiM(double pt, double eta, double phi, double m) {
    m_x = pt * std::cos(phi), m_y = pt * std::sin(phi), m_z = pt * std::sinh(eta);
    m_e = std::sqrt(m_x * m_x + m_y * m_y + m_z * m_z + m * m);
  }
  double Px() const { return m_x; }
  double Py() const { return m_y; }
  double Pz() const { return m_z; }
  double E() const { return m_e; }
  double Pt() const { return std::hypot(m_x, m_y); }
  double Phi() const { return std::atan2(m_y, m_x); }
  double Eta() const { return std::asinh(m_z / Pt()); }
  double Rapidity() const { return 0.5 * std::log((m_e + m_z) / (m_e - m_z)); }
  double M() const {
    double square = m_e * m_e - m_x * m_x - m_y * m_y - m_z * m_z;
    return square < 0 ? -std::sqrt(-square) : std::sqrt(square);
  }
  double DeltaPhi(const TLorentzVector& other) const { return TVector2::Phi_mpi_pi(Phi() - other.Phi()); }
  double DeltaR(const TLorentzVector& other) const { return std::hypot(Eta() - other.Eta(), DeltaPhi(other)); }
  TLorentzVector operator+(const TLorentzVector& other) const {
    TLorentzVector sum;
    sum.m_x = m_x + other.m_x, sum.m_y = m_y + other.m_y, sum.m_z = m_z + other.m_z, sum.m_e = m_e + other.m_e;
    return sum;
  }

private:
  double m_x = 0, m_y = 0, m_z = 0, m_e = 0;
};

// -- objects and containers -------------------------------------------------------------------------------------------

namespace SG {
class AuxElement {
public:
  AuxElement(const Record* record, std::size_t index) : m_record(record), m_index(index) {}
  unsigned int index() const { return static_cast<unsigned int>(m_index); }
  template <class T> T auxdataConst(const std::string& name) const {
    if constexpr (is_list<T>::value) {
      T values;
      for (auto& text : stored(m_record->lists, name)) values.push_back(converted<typename T::value_type>(text));
      return values;
    } else return converted<T>(stored(m_record->values, name));
  }
  template <class T> bool isAvailable(const std::string& name) const {
    return m_record->values.count(name) + m_record->lists.count(name) > 0;
  }

protected:
  template <class R> std::vector<R> rows(const std::string& name) const {
    std::vector<R> made;
    for (auto& record : stored(m_record->objects, name)) made.emplace_back(&record, made.size());
    return made;
  }
  const Record* m_record;
  std::size_t m_index;
};
}  // namespace SG

template <class T> class DataVector {
public:
  using base_value_type = T;
  explicit DataVector(const std::vector<Record>& records) {
    for (auto& record : records) m_rows.push_back(std::make_unique<T>(&record, m_rows.size()));
    for (auto& row : m_rows) m_pointers.push_back(row.get());
  }
  auto begin() const { return m_pointers.begin(); }
  auto end() const { return m_pointers.end(); }
  std::size_t size() const { return m_pointers.size(); }
  const T* at(std::size_t k) const { return m_pointers.at(k); }
  const T* operator[](std::size_t k) const { return m_pointers.at(k); }

private:
  std::vector<std::unique_ptr<T>> m_rows;
  std::vector<const T*> m_pointers;
};

template <class C> class ElementLink {
public:
  ElementLink(const Record* record, std::size_t index) : m_record(record) {
    if (isValid()) m_object = std::make_shared<typename C::base_value_type>(record, index);
  }
  bool isValid() const { return !m_record->values.count("isValid") || m_record->values.at("isValid") == "1"; }
  const typename C::base_value_type* operator*() const {
    if (!m_object) throw std::runtime_error("a link that is not valid was followed");
    return m_object.get();
  }

private:
  const Record* m_record;
  std::shared_ptr<typename C::base_value_type> m_object;
};

#define VALUE(type, name) \
  type name() const { return this->template auxdataConst<type>(#name); }
#define LINKS(class, name) \
  std::vector<ElementLink<DataVector<class>>> name() const { return rows<ElementLink<DataVector<class>>>(#name); }
#define OBJECT(name, base)     \
  class name : public base {   \
  public:                      \
    using base::base;

namespace xAOD {
using SG::AuxElement;

// What follows from pt, eta, phi and m is computed.
class IParticle : public SG::AuxElement {
public:
  using SG::AuxElement::AuxElement;
  VALUE(double, pt)
  VALUE(double, eta)
  VALUE(double, phi)
  VALUE(double, m)
  double e() const { return p4().E(); }
  double rapidity() const { return p4().Rapidity(); }
  TLorentzVector p4() const {
    TLorentzVector made;
    made.SetPtEtaPhiM(pt(), eta(), phi(), m());
    return made;
  }
};

OBJECT(TrackParticle_v1, IParticle)
  VALUE(float, charge)
  VALUE(float, d0)
  VALUE(float, z0)
  VALUE(float, vz)
  VALUE(float, chiSquared)
};

OBJECT(CaloCluster_v1, IParticle)
  VALUE(unsigned int, nSamples)
};

OBJECT(Electron_v1, IParticle)
  VALUE(float, charge)
  VALUE(unsigned int, OQ)
  unsigned int nTrackParticles() const { return static_cast<unsigned int>(trackParticleLinks().size()); }
  LINKS(TrackParticle_v1, trackParticleLinks)
  LINKS(CaloCluster_v1, caloClusterLinks)
};

OBJECT(Photon_v1, IParticle)
  VALUE(float, conversionRadius)
  LINKS(CaloCluster_v1, caloClusterLinks)
};

OBJECT(Muon_v1, IParticle)
  enum Quality { Tight, Medium, Loose, VeryLoose };
  enum MuonType { Combined, MuonStandAlone, SegmentTagged, CaloTagged, SiliconAssociatedForwardMuon };
  VALUE(float, charge)
  VALUE(uint16_t, allAuthors)
  VALUE(bool, passesIDCuts)
  VALUE(bool, passesHighPtCuts)
  Quality quality() const { return static_cast<Quality>(auxdataConst<int>("quality")); }
  MuonType muonType() const { return static_cast<MuonType>(auxdataConst<int>("muonType")); }
};

OBJECT(TauJet_v3, IParticle)
  VALUE(float, charge)
  VALUE(unsigned int, nTracksCharged)
};

OBJECT(JetConstituent, IParticle)
};

class JetConstituentVector : public DataVector<JetConstituent> {
public:
  using DataVector<JetConstituent>::DataVector;
};

OBJECT(Jet_v1, IParticle)
  float px() const { return static_cast<float>(p4().Px()); }
  float py() const { return static_cast<float>(p4().Py()); }
  float pz() const { return static_cast<float>(p4().Pz()); }
  unsigned int numConstituents() const { return static_cast<unsigned int>(stored(m_record->objects, "getConstituents").size()); }
  JetConstituentVector getConstituents() const { return JetConstituentVector(stored(m_record->objects, "getConstituents")); }
  template <class T> T getAttribute(const std::string& name) const { return auxdataConst<T>(name); }
};

OBJECT(TruthParticle_v1, IParticle)
  VALUE(int, pdgId)
  VALUE(int, barcode)
  VALUE(int, status)
  VALUE(double, charge)
  int absPdgId() const { return std::abs(pdgId()); }
  bool isElectron() const { return absPdgId() == 11; }
  bool isMuon() const { return absPdgId() == 13; }
};

OBJECT(Vertex_v1, AuxElement)
  VALUE(float, x)
  VALUE(float, y)
  VALUE(float, z)
  VALUE(float, chiSquared)
  LINKS(TrackParticle_v1, trackParticleLinks)
};

OBJECT(MissingET_v1, AuxElement)
  VALUE(float, mpx)
  VALUE(float, mpy)
  VALUE(float, sumet)
  VALUE(std::string, name)
  float met() const { return std::hypot(mpx(), mpy()); }
  float phi() const { return std::atan2(mpy(), mpx()); }
};

class MissingETContainer_v1 : public DataVector<MissingET_v1> {
public:
  using DataVector<MissingET_v1>::DataVector;
};

OBJECT(EventInfo_v1, AuxElement)
  VALUE(unsigned int, runNumber)
  VALUE(unsigned long long, eventNumber)
  VALUE(unsigned int, lumiBlock)
  VALUE(unsigned int, mcChannelNumber)
  VALUE(float, actualInteractionsPerCrossing)
  VALUE(float, averageInteractionsPerCrossing)
  VALUE(std::vector<float>, mcEventWeights)
};

// The names without versions, which the generator knows by itself.
using Electron = Electron_v1;
using Muon = Muon_v1;
using Jet = Jet_v1;
using TruthParticle = TruthParticle_v1;
using TrackParticle = TrackParticle_v1;
using MissingET = MissingET_v1;
using EventInfo = EventInfo_v1;
using ElectronContainer = DataVector<Electron_v1>;
using MuonContainer = DataVector<Muon_v1>;
using JetContainer = DataVector<Jet_v1>;
using TruthParticleContainer = DataVector<TruthParticle_v1>;
using TrackParticleContainer = DataVector<TrackParticle_v1>;
using MissingETContainer = MissingETContainer_v1;

struct TFileAccessTracer {
  static void enableDataSubmission(bool) {}
};
}  // namespace xAOD

// -- the algorithm ----------------------------------------------------------------------------------------------------

class StatusCode {
public:
  static const StatusCode SUCCESS, FAILURE;
  bool isSuccess() const { return m_success; }

private:
  explicit StatusCode(bool success) : m_success(success) {}
  bool m_success;
};
inline const StatusCode StatusCode::SUCCESS{true}, StatusCode::FAILURE{false};

#define ANA_CHECK(expression)                                  \
  do {                                                         \
    if (!(expression).isSuccess()) return StatusCode::FAILURE; \
  } while (false)

using Event = std::map<std::string, std::vector<Record>>;

class EventStore {
public:
  void load(const Event* event) { m_event = event, m_made.clear(); }
  template <class T> StatusCode retrieve(const T*& result, const std::string& bank) {
    auto found = m_event->find(bank);
    if (found == m_event->end()) {
      std::cerr << "there is no bank " << bank << '\n';
      return StatusCode::FAILURE;
    }
    auto& made = m_made[bank + ' ' + typeid(T).name()];
    if (!made) made = std::make_shared<T>(argument<T>(found->second));
    result = static_cast<const T*>(made.get());
    return StatusCode::SUCCESS;
  }

private:
  template <class T> static auto argument(const std::vector<Record>& records) {
    if constexpr (std::is_base_of_v<SG::AuxElement, T>) return T(&records.at(0), 0);
    else return std::cref(records);
  }
  const Event* m_event = nullptr;
  std::map<std::string, std::shared_ptr<void>> m_made;
};

class ISvcLocator {};

namespace EL {
class AnaAlgorithm {
public:
  AnaAlgorithm(const std::string&, ISvcLocator*) {}
  virtual ~AnaAlgorithm() = default;
  virtual StatusCode initialize() = 0;
  virtual StatusCode execute() = 0;
  virtual StatusCode finalize() = 0;
  EventStore* evtStore() { return &m_store; }

protected:
  StatusCode book(TTree tree) {
    m_trees.emplace_back(std::move(tree));
    return StatusCode::SUCCESS;
  }
  TTree* tree(const std::string& name) {
    for (auto& known : m_trees)
      if (known.name() == name) return &known;
    throw std::runtime_error("no tree is booked as " + name);
  }

private:
  EventStore m_store;
  std::vector<TTree> m_trees;
};
}  // namespace EL

// What the job makes: defined beside the generated code.
std::unique_ptr<EL::AnaAlgorithm> make_algorithm();

#endif
