#include <cstdio>
#include <cstring>
#include <chrono>
#include "breaker/breaker_scenario.hpp"
#include "litmus.hpp"
using namespace fusebox::model;
int main(int argc, char** argv) { 
  if (argc<2) return fusebox::model::checkLitmus() ? 0 : 1;
  const auto t0=std::chrono::steady_clock::now();
  std::uint64_t total=0, red=0, scen=0, bad=0, maxe=0; std::string maxn;
  constexpr int N=(int)Action::Count_;
  auto one=[&](Start s, std::vector<std::vector<Action>> a){
    BreakerScenario sc{setupFor(s), s, a};
    if(argv[1][0]=='c'){ std::set<std::vector<std::int64_t>> x,y; sc.collect(&x); Findings f=explore(sc); total+=f.executions; sc.collect(&y); Findings g=explore(sc, Limits{.preemptions=100,.executions=200000}); ++scen; red+=g.executions; if(!g.exhausted){++maxe;  for(auto&v:y) if(!x.count(v)) {++bad; std::printf("%s partial differ\n", sc.name().c_str());break;} return;} if(x!=y){++bad; std::printf("%s differ %zu %zu\n", sc.name().c_str(), x.size(), y.size());} return; }
    Findings f=explore(sc, Limits{.executions=1000000});
    ++scen; total+=f.executions; red+=f.redundant; if(f.executions>maxe){maxe=f.executions;maxn=sc.name();}
    if(!f.violation.empty()){ if(++bad<=20) std::printf("%s: %s\n", sc.name().c_str(), f.violation.c_str()); if(argc>2) std::printf("%s", f.trace.c_str());}
    else if(!f.exhausted) std::printf("%s not exhausted\n", sc.name().c_str());
  };
  for(int s=0;s<(int)Start::Count_;++s) for(int a=0;a<N;++a) for(int b=a;b<N;++b) {
    if(argv[1][0]=='2'||(argv[1][0]=='c'&&!argv[1][1])) one(Start(s), {{Action(a)},{Action(b)}});
    else for(int c=b;c<N;++c) if((a*7+b*3+c+s)%atoi(argv[1]+2)==0) one(Start(s), {{Action(a)},{Action(b)},{Action(c)}});
    if(argc>2&&bad) return 1;
  }
  const double sec=std::chrono::duration<double>(std::chrono::steady_clock::now()-t0).count();
  std::printf("%lu scenarios, %lu bad, %lu executions (%lu redundant), %.1f s; most %lu in %s\n", scen,bad,total,red,sec,maxe,maxn.c_str());
}
