# One stage builds the wheel, the next installs it, so that the image holds neither sources nor build tools.
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
COPY --from=build /wheels /wheels
RUN wheel=$(ls /wheels/mailbot-*.whl) && pip install --no-cache-dir "${wheel}[postgresql]" && rm -r /wheels \
    && useradd --system --uid 10001 --home-dir /var/lib/mailbot --create-home --shell /usr/sbin/nologin mailbot
# The default data_dir is a relative path, so it is inside the volume.
WORKDIR /var/lib/mailbot
VOLUME /var/lib/mailbot
USER mailbot
# Mount the configuration here. Any key can also be set as MAILBOT_SECTION__KEY, a secret as ..._FILE.
ENV MAILBOT_CONFIG=/etc/mailbot/mailbot.toml
STOPSIGNAL SIGTERM
ENTRYPOINT ["mailbot"]
CMD ["run"]
