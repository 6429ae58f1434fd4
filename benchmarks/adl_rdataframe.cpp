// The eight queries in RDataFrame, compiled: what C++ can do with this way of writing an analysis.
#include "adl_rdataframe.h"
#include <ROOT/RDataFrame.hxx>
#include <string>

namespace adl {

using Contents = std::vector<std::vector<double>>;
using Result = ROOT::RDF::RResultPtr<TH1D>;

inline Contents contents(std::vector<Result> histograms) {
    Contents all;
    for (auto &h : histograms) all.emplace_back(h->GetArray(), h->GetArray() + h->GetNbinsX() + 2);
    return all;
}

const ROOT::RDF::TH1DModel MET("", "", 100, 0, 2000), PT("", "", 100, 15, 60), TRIJET("", "", 100, 15, 40),
    BTAG("", "", 100, 0, 1), HT("", "", 100, 15, 200), MT("", "", 100, 15, 250);

Contents run(const std::string &query, const std::string &path) {
    ROOT::RDataFrame events("Events", path);
    const auto there = [](float x) { return x >= 0; };
    if (query == "q1") return contents({events.Histo1D<float>(MET, "MET_pt")});
    if (query == "q2") return contents({events.Histo1D<Floats>(PT, "Jet_pt")});
    if (query == "q3") {
        auto central = [](const Floats &pt, const Floats &eta) { return Floats(pt[abs(eta) < 1]); };
        return contents({events.Define("x", central, {"Jet_pt", "Jet_eta"}).Histo1D<Floats>(PT, "x")});
    }
    if (query == "q4") {
        auto two = [](const Floats &pt) { return Sum(pt > 40) >= 2; };
        return contents({events.Filter(two, {"Jet_pt"}).Histo1D<float>(MET, "MET_pt")});
    }
    if (query == "q5") {
        auto selected = events.Filter(has_z, {"Muon_pt", "Muon_eta", "Muon_phi", "Muon_mass", "Muon_charge"});
        return contents({selected.Histo1D<float>(MET, "MET_pt")});
    }
    if (query == "q6") {
        auto first = [](const Floats &x) { return x[0]; };
        auto second = [](const Floats &x) { return x[1]; };
        auto three = [](const Floats &pt) { return pt.size() >= 3; };
        auto best = events.Filter(three, {"Jet_pt"})
                        .Define("x", trijet, {"Jet_pt", "Jet_eta", "Jet_phi", "Jet_mass", "Jet_btag"})
                        .Define("pt", first, {"x"})
                        .Define("btag", second, {"x"});
        return contents({best.Histo1D<float>(TRIJET, "pt"), best.Histo1D<float>(BTAG, "btag")});
    }
    if (query == "q7") {
        auto total = events.Define("x", isolated, {"Jet_pt", "Jet_eta", "Jet_phi", "Muon_pt", "Muon_eta", "Muon_phi",
                                                   "Electron_pt", "Electron_eta", "Electron_phi"});
        return contents({total.Filter(there, {"x"}).Histo1D<float>(HT, "x")});
    }
    auto mass = events.Define("x", transverse_mass,
                              {"Electron_pt", "Electron_eta", "Electron_phi", "Electron_mass", "Electron_charge", "Muon_pt",
                               "Muon_eta", "Muon_phi", "Muon_mass", "Muon_charge", "MET_pt", "MET_phi"});
    return contents({mass.Filter(there, {"x"}).Histo1D<float>(MT, "x")});
}

}  // namespace adl
