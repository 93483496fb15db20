// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "unit/machine/text/text_reader.h"

namespace slowpath::machine {
namespace {

const std::string kTcp = "netsh.tcp.global.";

TEST(WindowsText, TcpGlobalTableOfTheStory) {
  const MachineFacts facts = facts_of(fixture("windows8.txt"));
  EXPECT_EQ(facts.platform, Platform::windows);
  EXPECT_EQ(facts.kernel, "6.2.9200");
  EXPECT_EQ(setting(facts, kTcp + "receive-side-scaling-state"), "enabled");
  EXPECT_EQ(setting(facts, kTcp + "chimney-offload-state"), "automatic");
  EXPECT_EQ(setting(facts, kTcp + "netdma-state"), "enabled");
  EXPECT_EQ(setting(facts, kTcp + "direct-cache-access-dca"), "disabled");
  EXPECT_EQ(setting(facts, kTcp + "receive-window-auto-tuning-level"), "normal");
  EXPECT_EQ(setting(facts, kTcp + "add-on-congestion-control-provider"), "ctcp");
  EXPECT_EQ(setting(facts, kTcp + "ecn-capability"), "disabled");
  EXPECT_EQ(setting(facts, kTcp + "rfc-1323-timestamps"), "disabled");
  EXPECT_EQ(setting(facts, kTcp + "receive-window-auto-tuning-level.overridden-by"), "heuristics");
  EXPECT_EQ(find_setting(facts, kTcp + "ecn-capability")->origin.where, "host.txt, line 15");
}

TEST(WindowsText, OtherNetshTables) {
  const MachineFacts facts = facts_of(fixture("windows8.txt"));
  EXPECT_EQ(setting(facts, "netsh.ip.global.task-offload"), "disabled");
  EXPECT_EQ(setting(facts, "netsh.ip.global.default-hop-limit"), "128 hops");
  EXPECT_EQ(setting(facts, "netsh.tcp.heuristics.window-scaling-heuristics"), "enabled");
  EXPECT_EQ(setting(facts, "netsh.tcp.heuristics.profile-type-public"), "restricted");
  EXPECT_EQ(setting(facts, "netsh.tcp.supplemental.minimum-rto-msec"), "300");
  EXPECT_EQ(setting(facts, "netsh.ip.dynamicport.tcp.start-port"), "49152");
  EXPECT_EQ(setting(facts, "netsh.ip.dynamicport.tcp.number-of-ports"), "16384");
}

TEST(WindowsText, InterfacesAndTheirMtu) {
  const MachineFacts facts = facts_of(fixture("windows8.txt"));
  const auto ethernet = interface_in(facts, "Ethernet 2");
  EXPECT_EQ(ethernet.index, 12U);
  EXPECT_EQ(ethernet.mtu_bytes, 1400U);  // the subinterface's, told later
  EXPECT_EQ(ethernet.carrier, true);
  EXPECT_EQ(ethernet.statistics.at("rx_bytes"), 987654321U);
  EXPECT_EQ(ethernet.properties.at("netsh.offload.tcp-transmit-checksum"), "supported");
  EXPECT_EQ(ethernet.properties.at("netsh.offload.udp-receive-checksum"), "not supported");
  EXPECT_EQ(interface_in(facts, "VPN to the plant").mtu_bytes, 1300U);
  EXPECT_FALSE(interface_in(facts, "Loopback Pseudo-Interface 1").mtu_bytes);  // it has no limit
}

TEST(WindowsText, NetstatCountsBothVersionsOfTcp) {
  const MachineFacts facts = facts_of(fixture("windows8.txt"));
  EXPECT_EQ(counter(facts, "TcpRetransSegs"), 820);
  EXPECT_EQ(counter(facts, "TcpActiveOpens"), 121);
  EXPECT_EQ(counter(facts, "IpReasmFails"), 11);
  EXPECT_EQ(counter(facts, "IpFragFails"), 13);
  ASSERT_EQ(facts.not_understood.size(), 1U);  // the second line of the footnote
  EXPECT_EQ(facts.not_understood[0].line, 18U);
}

struct Foreign {
  const char* language;
  const char* text;
};

// Names as Windows 10 translates them; the values stay English.
const Foreign kForeign[] = {
    {"German",
     "Der aktive Status wird abgefragt...\n\nTCP - Globale Parameter\n"
     "----------------------------------------------\n"
     "Zustand der empfangsseitigen Skalierung         : disabled\n"
     "Autom. Abstimmungsgrad Empfangsfenster          : highlyrestricted\n"
     "Add-On \"Überlastungssteuerungsanbieter\"         : default\n"
     "ECN-Funktion                                    : enabled\n"
     "RFC 1323-Zeitstempel                            : disabled\n"
     "RTO (Anfang)                                    : 3000\n"
     "Zustand der Empfangssegmentzusammenfügung       : enabled\n"},
    {"French",
     "Recherche du statut actif...\n\nParamètres globaux TCP\n"
     "----------------------------------------------\n"
     "État de mise à l'échelle côté réception      : désactivé\n"
     "Niveau de réglage auto fenêtre de réception  : highlyrestricted\n"
     "Fournisseur de contrôle de surcharge         : aucun\n"
     "Fonctionnalité ECN                           : activé\n"
     "Horodatages RFC 1323                         : désactivé\n"},
    {"Spanish",
     "Consultando el estado activo...\n\nParámetros globales de TCP\n"
     "----------------------------------------------\n"
     "Estado de ajuste de escala en lado de recepción : deshabilitado\n"
     "Nivel de ajuste automático de ventana           : highlyrestricted\n"
     "Proveedor de control de congestión              : ninguno\n"
     "Funcionalidad ECN                               : habilitado\n"
     "Marcas de tiempo RFC 1323                       : deshabilitado\n"},
    {"Portuguese",
     "Consultando estado ativo...\n\nParâmetros Globais TCP\n"
     "----------------------------------------------\n"
     "Estado do Dimensionamento do Lado do Recebimento : disabled\n"
     "Nível de Ajuste Automático da Janela             : highlyrestricted\n"
     "Provedor de Controle de Congestionamento         : default\n"
     "Recurso ECN                                      : enabled\n"
     "Carimbos de Data/Hora RFC 1323                   : disabled\n"},
    {"Japanese",
     "アクティブ状態を照会しています...\n\nTCP グローバル パラメーター\n"
     "----------------------------------------------\n"
     "Receive-Side Scaling 状態            : disabled\n"
     "受信ウィンドウ自動チューニング レベル     : highlyrestricted\n"
     "アドオン輻輳制御プロバイダー           : default\n"
     "ECN 機能                              : enabled\n"
     "RFC 1323 タイムスタンプ                : disabled\n"
     "初期 RTO                              : 1000\n"},
};

TEST(WindowsText, ForeignTcpTablesAreReadByOrderAndValues) {
  for (const Foreign& each : kForeign) {
    SCOPED_TRACE(each.language);
    const MachineFacts facts = facts_of(each.text);
    EXPECT_EQ(facts.platform, Platform::windows);
    EXPECT_EQ(setting(facts, kTcp + "receive-side-scaling-state"), "disabled");
    EXPECT_EQ(setting(facts, kTcp + "receive-window-auto-tuning-level"), "highlyrestricted");
    EXPECT_EQ(setting(facts, kTcp + "ecn-capability"), "enabled");
    EXPECT_EQ(setting(facts, kTcp + "rfc-1323-timestamps"), "disabled");
    EXPECT_EQ(setting(facts, kTcp + "chimney-offload-state"), "");
    EXPECT_TRUE(facts.not_understood.empty());
  }
}

TEST(WindowsText, ForeignTableWithChimneyAndDmaOfWindows7) {
  const MachineFacts facts = facts_of(
      "Globale TCP-Parameter\n----------------------------------------------\n"
      "Zustand der empfangsseitigen Skalierung : enabled\n"
      "Chimney-Abladezustand : automatic\nNetDMA-Zustand : disabled\nDCA : disabled\n"
      "Autom. Abstimmungsgrad Empfangsfenster : disabled\n"
      "Add-On-Anbieter : ctcp\nECN-Funktion : disabled\nRFC 1323-Zeitstempel : enabled\n");
  EXPECT_EQ(setting(facts, kTcp + "chimney-offload-state"), "automatic");
  EXPECT_EQ(setting(facts, kTcp + "netdma-state"), "disabled");
  EXPECT_EQ(setting(facts, kTcp + "receive-window-auto-tuning-level"), "disabled");
  EXPECT_EQ(setting(facts, kTcp + "rfc-1323-timestamps"), "enabled");
}

TEST(WindowsText, ForeignIpTableTellsTheTaskOffload) {
  const MachineFacts facts = facts_of(
      "Allgemeine globale Parameter\n---------------------------------------------\n"
      "Standardhoplimit : 128 Hops\nNachbarcachelimit : 256 Eintraege\n"
      "Routencachelimit : 128 Eintraege\nReassemblierungslimit : 32893088 Bytes\n"
      "ICMP-Umleitungen : aktiviert\nQuellroutingverhalten : dontforward\n"
      "Taskabladung : deaktiviert\nDHCP-Medienerkennung : aktiviert\n");
  EXPECT_EQ(setting(facts, "netsh.ip.global.task-offload"), "disabled");
  EXPECT_EQ(facts.not_understood.size(), 1U);  // the rows after it are not known by order
}

std::string to_utf16(std::string_view ascii) {
  std::string out = "\xFF\xFE";
  for (const char each : ascii) {
    out.push_back(each);
    out.push_back('\0');
  }
  return out;
}

TEST(WindowsText, Utf16AndCodePagesAreRead) {
  const std::string table = fixture("windows8.txt");
  const MachineFacts plain = facts_of(table);
  for (const std::string& other : {to_utf16(table), to_utf16(table).substr(2),
                                   "\xEF\xBB\xBF" + table, to_utf16(table) + "\n"}) {
    const MachineFacts facts = facts_of(other);
    EXPECT_EQ(facts.settings.size(), plain.settings.size());
    EXPECT_EQ(setting(facts, kTcp + "add-on-congestion-control-provider"), "ctcp");
  }
  // French in code page 850: 0x82 is é.
  const MachineFacts french = facts_of(
      "Param\x8Atres globaux TCP\n--------------------------\n"
      "\x90tat de mise \x85 l'\x82"
      "chelle : d\x82sactiv\x82\nNiveau de r\x82glage auto : normal\n"
      "Fournisseur : aucun\nECN : activ\x82\nHorodatages : d\x82sactiv\x82\n");
  EXPECT_EQ(setting(french, kTcp + "receive-side-scaling-state"), "disabled");
  EXPECT_EQ(setting(french, kTcp + "ecn-capability"), "enabled");
}

TEST(WindowsText, WrappedNamesAndValuesAreJoined) {
  const MachineFacts facts = facts_of(
      "TCP Global Parameters\n----------------------------------\n"
      "Receive-Side Scaling State          : enabled\n"
      "Receive Window Auto-Tuning\n Level    : normal\n"
      "Add-On Congestion Control Provider  :\nctcp\n"
      "ECN Capability : disabled\n");
  EXPECT_EQ(setting(facts, kTcp + "receive-window-auto-tuning-level"), "normal");
  EXPECT_EQ(setting(facts, kTcp + "add-on-congestion-control-provider"), "ctcp");
  EXPECT_EQ(setting(facts, kTcp + "ecn-capability"), "disabled");
  EXPECT_TRUE(facts.not_understood.empty());
}

TEST(PowerShellText, SettingsByTheirNames) {
  const MachineFacts facts = facts_of(fixture("powershell.txt"));
  EXPECT_EQ(facts.platform, Platform::windows);
  EXPECT_EQ(setting(facts, "Get-NetTCPSetting.Internet.AutoTuningLevelLocal"), "Disabled");
  EXPECT_EQ(setting(facts, "Get-NetTCPSetting.Internet.InitialRto"), "1000");
  EXPECT_EQ(setting(facts, "Get-NetTCPSetting.Datacenter.CongestionProvider"), "DCTCP");
  EXPECT_EQ(setting(facts, "Get-NetTCPSetting.Compat.AutoTuningLevelLocal"), "Restricted");
  EXPECT_EQ(setting(facts, "Get-NetOffloadGlobalSetting.ReceiveSideScaling"), "Disabled");
  EXPECT_EQ(setting(facts, "Get-NetOffloadGlobalSetting.TaskOffload"), "Enabled");
}

TEST(PowerShellText, AdaptersAndTheirOffloads) {
  const MachineFacts facts = facts_of(fixture("powershell.txt"));
  const auto two = interface_in(facts, "Ethernet 2");
  EXPECT_EQ(two.index, 12U);
  EXPECT_EQ(two.alias, "vmxnet3 Ethernet Adapter");
  EXPECT_EQ(two.speed_bps, 10'000'000'000);
  EXPECT_EQ(two.carrier, true);
  EXPECT_EQ(two.properties.at("Large Send Offload V2 (IPv4)"), "Enabled");
  EXPECT_EQ(two.properties.at("*JumboPacket"), "9014");
  EXPECT_TRUE(two.features.at("tx-tcp-segmentation").on);
  EXPECT_FALSE(two.features.at("tx-tcp6-segmentation").on);
  EXPECT_FALSE(two.features.at("tx-checksum-ipv4").on);
  EXPECT_TRUE(two.features.at("rx-checksum").on);
  EXPECT_TRUE(two.features.at("rx-hashing").on);  // Get-NetAdapterRss speaks last
  EXPECT_EQ(two.channels.rx, 2U);
  EXPECT_EQ(two.rss.indirection, (std::vector<std::uint32_t>{0, 1, 0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(two.properties.at("Get-NetAdapterRss.Profile"), "Closest");
  const auto three = interface_in(facts, "Ethernet 3");
  EXPECT_EQ(three.index, 4U);
  EXPECT_EQ(three.carrier, false);
  EXPECT_EQ(three.rings.rx, 256U);
  EXPECT_TRUE(three.features.at("tx-checksum-ipv4").on);
  EXPECT_TRUE(three.features.at("tx-tcp-segmentation").on);
  EXPECT_FALSE(three.features.at("rx-lro").on);
  EXPECT_EQ(three.features.at("rx-lro").requested, true);
}

}  // namespace
}  // namespace slowpath::machine
