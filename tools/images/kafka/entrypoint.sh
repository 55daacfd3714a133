#!/bin/bash
# KAFKA_SOME_SETTING becomes some.setting, as in the official image; storage is formatted on first start.
set -euo pipefail
config=/opt/kafka/config/server.properties
java=(java "-cp" "/opt/kafka/libs/*" "-Dlog4j2.configurationFile=/opt/kafka/config/log4j2.properties")
cat > /opt/kafka/config/log4j2.properties <<'LOG'
rootLogger.level = WARN
rootLogger.appenderRefs = out
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
LOG
: > "$config"
while IFS='=' read -r -d '' name value; do
  case $name in
    KAFKA_HEAP_OPTS | KAFKA_OPTS | KAFKA_VERSION) ;;
    KAFKA_*) name=${name#KAFKA_}; name=${name,,}; echo "${name//_/.}=$value" >> "$config" ;;
  esac
done < <(env -0)
id=${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}
"${java[@]}" -Xmx128m kafka.tools.StorageTool format --ignore-formatted -t "$id" -c "$config"
# shellcheck disable=SC2086
exec "${java[@]}" ${KAFKA_HEAP_OPTS:--Xmx1g} kafka.Kafka "$config"
