// What the queries need beyond one-liners, for RDataFrame: used from strings and from the compiled program alike.
#pragma once
#include <cmath>
#include <vector>
#include <Math/Vector4D.h>
#include <ROOT/RVec.hxx>

namespace adl {

using Floats = ROOT::VecOps::RVec<float>;
using Ints = ROOT::VecOps::RVec<int>;
using Vector = ROOT::Math::PxPyPzEVector;

inline Vector momentum(float pt, float eta, float phi, float mass) {
    return Vector(ROOT::Math::PtEtaPhiMVector(pt, eta, phi, mass));
}

inline std::vector<Vector> momenta(const Floats &pt, const Floats &eta, const Floats &phi, const Floats &mass) {
    std::vector<Vector> all;
    all.reserve(pt.size());
    for (size_t i = 0; i < pt.size(); ++i) all.push_back(momentum(pt[i], eta[i], phi[i], mass[i]));
    return all;
}

inline bool has_z(const Floats &pt, const Floats &eta, const Floats &phi, const Floats &mass, const Ints &charge) {
    const auto muons = momenta(pt, eta, phi, mass);
    for (size_t i = 0; i < muons.size(); ++i)
        for (size_t j = i + 1; j < muons.size(); ++j) {
            if (charge[i] == charge[j]) continue;
            const auto m = (muons[i] + muons[j]).M();
            if (m > 60 && m < 120) return true;
        }
    return false;
}

// The transverse momentum of the trijet nearest to the top quark's mass, and the largest b-tag in it.
inline Floats trijet(const Floats &pt, const Floats &eta, const Floats &phi, const Floats &mass, const Floats &btag) {
    const auto jets = momenta(pt, eta, phi, mass);
    double least = INFINITY, best_pt = -1;
    float best_btag = -1;
    for (size_t i = 0; i < jets.size(); ++i)
        for (size_t j = i + 1; j < jets.size(); ++j) {
            const auto pair = jets[i] + jets[j];
            for (size_t k = j + 1; k < jets.size(); ++k) {
                const auto total = pair + jets[k];
                const auto distance = std::abs(total.M() - 172.5);
                if (distance >= least) continue;
                least = distance;
                best_pt = total.Pt();
                best_btag = std::max(std::max(btag[i], btag[j]), btag[k]);
            }
        }
    return {float(best_pt), best_btag};
}

inline bool near(float eta, float phi, const Floats &pts, const Floats &etas, const Floats &phis) {
    for (size_t i = 0; i < pts.size(); ++i)
        if (pts[i] > 10 && std::hypot(eta - etas[i], std::remainder(phi - phis[i], 2 * M_PI)) < 0.4) return true;
    return false;
}

// The summed transverse momentum of jets away from leptons; negative where there is none.
inline float isolated(const Floats &pt, const Floats &eta, const Floats &phi, const Floats &mu_pt, const Floats &mu_eta,
                      const Floats &mu_phi, const Floats &el_pt, const Floats &el_eta, const Floats &el_phi) {
    float total = 0;
    bool any = false;
    for (size_t i = 0; i < pt.size(); ++i)
        if (pt[i] > 30 && !near(eta[i], phi[i], mu_pt, mu_eta, mu_phi) && !near(eta[i], phi[i], el_pt, el_eta, el_phi)) {
            total += pt[i];
            any = true;
        }
    return any ? total : -1;
}

// The transverse mass with the leading lepton beside the pair nearest to the Z boson; negative where there is none.
inline float transverse_mass(const Floats &e_pt, const Floats &e_eta, const Floats &e_phi, const Floats &e_mass,
                             const Ints &e_charge, const Floats &m_pt, const Floats &m_eta, const Floats &m_phi,
                             const Floats &m_mass, const Ints &m_charge, float met, float met_phi) {
    const size_t electrons = e_pt.size(), all = electrons + m_pt.size();
    if (all < 3) return -1;
    auto leptons = momenta(e_pt, e_eta, e_phi, e_mass);
    const auto muons = momenta(m_pt, m_eta, m_phi, m_mass);
    leptons.insert(leptons.end(), muons.begin(), muons.end());
    const auto charge = ROOT::VecOps::Concatenate(e_charge, m_charge);
    const auto pt = ROOT::VecOps::Concatenate(e_pt, m_pt), phi = ROOT::VecOps::Concatenate(e_phi, m_phi);
    double least = INFINITY;
    size_t a = all, b = all;
    for (size_t i = 0; i < all; ++i)
        for (size_t j = i + 1; j < all; ++j) {
            if ((i < electrons) != (j < electrons) || charge[i] == charge[j]) continue;
            const auto distance = std::abs((leptons[i] + leptons[j]).M() - 91.2);
            if (distance < least) { least = distance; a = i; b = j; }
        }
    if (a == all) return -1;
    size_t other = all;
    for (size_t i = 0; i < all; ++i)
        if (i != a && i != b && (other == all || pt[i] > pt[other])) other = i;
    return std::sqrt(2 * pt[other] * met * (1 - std::cos(phi[other] - met_phi)));
}

}  // namespace adl
